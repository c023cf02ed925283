export interface StreamedEvent {
  id: string;
  event: string;
  data: { seq: number; type: string; phase: string; message: string };
}

/** Reads a stream of Server-Sent Events until it ends. */
export async function readEvents(response: Response): Promise<StreamedEvent[]> {
  const blocks = (await response.text()).split('\n\n');
  return blocks.flatMap((block) => {
    const fields = Object.fromEntries(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    ) as { id?: string; event?: string; data?: string };
    if (fields.id === undefined) return [];
    return [
      { id: fields.id, event: fields.event ?? '', data: JSON.parse(fields.data ?? '{}') as StreamedEvent['data'] },
    ];
  });
}
