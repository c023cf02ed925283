/** A line of the audit trail. Times are ISO 8601. */
export interface AuditEntryView {
  /** Grows with each entry. */
  id: string;
  at: string;
  /** Null: nobody who could prove who they are. */
  subject: string | null;
  role: string | null;
  /** Method and route, or `authentication`. */
  action: string;
  clientId: string | null;
  clientName: string | null;
  /** Where the call came from. */
  address: string;
  /** HTTP status of the answer. */
  status: number;
  /** `code` of the problem that was answered; null when it went well. */
  code: string | null;
  requestId: string | null;
  /** Failed authentications of one address are summed up. */
  count: number;
}
