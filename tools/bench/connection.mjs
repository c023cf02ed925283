import { connect } from 'node:net';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * One keep-alive connection that sends prepared requests one after the other. It reads as little of an answer as it can,
 * so that the load costs the machine less than what is measured. Answers must have a Content-Length.
 */
export class Connection {
  #socket;
  #answered = null;
  #buffered = null;
  #missing = 0;
  #status = 0;
  #chunks = [];

  constructor(port) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('The server closed the connection')));
  }

  /** @param {(error: Error | null, status: number, body: Buffer[]) => void} answered */
  send(bytes, answered) {
    this.#answered = answered;
    this.#socket.write(bytes);
  }

  close() {
    this.#answered = null;
    this.#socket.destroy();
  }

  #read(chunk) {
    if (this.#missing > 0) return this.#take(chunk);
    const data = this.#buffered ? Buffer.concat([this.#buffered, chunk]) : chunk;
    const end = data.indexOf(END_OF_HEAD);
    if (end < 0) {
      this.#buffered = data;
      return;
    }
    this.#buffered = null;
    const head = data.latin1Slice(0, end).toLowerCase();
    this.#status = Number(head.slice(9, 12));
    const at = head.indexOf('\r\ncontent-length:');
    const isEmpty = this.#status === 204 || this.#status === 304;
    if (at < 0 && !isEmpty) return this.#end(new Error(`An answer without Content-Length:\n${head}`));
    this.#missing = at < 0 || isEmpty ? 0 : parseInt(head.slice(at + 17), 10);
    this.#chunks = [];
    if (this.#missing === 0) this.#done();
    else if (data.length > end + 4) this.#take(data.subarray(end + 4));
  }

  #take(chunk) {
    this.#chunks.push(chunk);
    this.#missing -= chunk.length;
    if (this.#missing === 0) this.#done();
  }

  #done() {
    const answered = this.#answered;
    this.#answered = null;
    answered?.(null, this.#status, this.#chunks);
  }

  #end(error) {
    const answered = this.#answered;
    this.#answered = null;
    answered?.(error, 0, []);
  }
}

/** The bytes of a request as `Connection` sends it. */
export function requestBytes({ method = 'GET', path, apiKey, body, headers = {} }) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const all = {
    Host: '127.0.0.1',
    ...(apiKey ? { Authorization: `Bearer ${apiKey}` } : {}),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${text}`);
}
