import { StatusDocument, type StatusView } from './status-document';

describe('StatusDocument', () => {
  let written: StatusView[];
  let document: StatusDocument;

  beforeEach(() => {
    written = [];
    document = new StatusDocument(new Date(0), (view) => written.push(view));
  });

  it('begins with the boot, and counts every change', () => {
    expect(document.view).toMatchObject({ version: 1, seq: 0, state: 'running', stage: 'boot', error: null });
    expect(document.view.stages).toEqual([
      { name: 'boot', startedAt: new Date(0).toISOString(), endedAt: document.view.startedAt },
    ]);
    document.report({ begun: ['docker'] });
    document.report({ ended: ['docker'], begun: ['postgres-image', 'proxy'] });
    document.report({ ended: ['proxy'] });
    document.report({ ended: ['postgres-image'], finished: true });
    expect(written.map(({ seq, state, stage }) => [seq, state, stage])).toEqual([
      [1, 'running', 'docker'],
      [2, 'running', 'proxy'],
      [3, 'running', 'postgres-image'],
      [4, 'finished', 'proxy'],
    ]);
    expect(written[2]?.stages.map(({ name, endedAt }) => [name, endedAt !== null])).toEqual([
      ['boot', true],
      ['docker', true],
      ['postgres-image', false],
      ['proxy', true],
    ]);
  });

  it('says why it failed, with as many of the last lines as have room', () => {
    document.report({ begun: ['postgres'] });
    const logTail = Array.from({ length: 60 }, (_, line) => `${line} ${'ü'.repeat(200)}`);
    document.fail({ stage: 'postgres', cause: 'PostgreSQL did not become healthy', logTail });
    const { error, ...view } = document.view;
    expect(view).toMatchObject({ seq: 2, state: 'failed', stage: 'postgres' });
    expect(error).toMatchObject({ stage: 'postgres', cause: 'PostgreSQL did not become healthy', exitCode: 1 });
    expect(error?.logTail.at(-1)).toBe(logTail.at(-1));
    expect(Buffer.byteLength(JSON.stringify(document.view))).toBeLessThan(16_384);
  });
});
