import type { ClientCursor } from '@agent-controller/clients';
import { AppError } from '@agent-controller/kernel';

export function encodeCursor({ createdAt, id }: ClientCursor): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

/** @throws AppError `validation-failed` */
export function decodeCursor(cursor: string): ClientCursor {
  const [time, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const createdAt = new Date(time ?? '');
  if (Number.isNaN(createdAt.getTime()) || !/^[0-9a-f-]{36}$/.test(id ?? '')) {
    throw new AppError('validation-failed', 'The cursor is not one that this API gave.', {
      errors: [{ field: 'cursor', message: 'must be taken from the Link header of an earlier page' }],
    });
  }
  return { createdAt, id: id ?? '' };
}
