import type { ClientCursor } from '@agent-controller/clients';
import { AppError } from '@agent-controller/kernel';

const PLACE = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export function encodeCursor({ createdAt, id }: ClientCursor): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

/** @throws AppError `validation-failed` */
export function decodeCursor(cursor: string): ClientCursor {
  const [, time = '', id = ''] = PLACE.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  const createdAt = new Date(time);
  if (Number.isNaN(createdAt.getTime()) || createdAt.toISOString() !== time) {
    throw new AppError('validation-failed', 'The cursor is not one that this API gave.', {
      errors: [{ field: 'cursor', message: 'must be taken from the Link header of an earlier page' }],
    });
  }
  return { createdAt, id };
}
