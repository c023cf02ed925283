/** Errors: RFC 9457, `application/problem+json`. */
export interface Problem {
  /** `urn:agent-controller:problem:<code>`. */
  type: string;
  title: string;
  status: number;
  /** Stable: branch on it. */
  code: string;
  /** What happened and what to do, for people. */
  detail: string;
  /** One entry for each wrong field. */
  errors?: { field: string; message: string }[];
  /** To quote when asking for help; the log has it as well. */
  requestId?: string;
  [extension: string]: unknown;
}
