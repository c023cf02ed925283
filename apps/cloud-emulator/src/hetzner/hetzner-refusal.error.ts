/** What Hetzner would refuse: the error handler makes its answer of it. */
export class HetznerRefusalError extends Error {
  override readonly name = 'HetznerRefusalError';

  constructor(
    readonly code: string,
    message: string,
    readonly details: unknown = null,
  ) {
    super(message);
  }

  static invalidInput(field: string, message: string): HetznerRefusalError {
    return new HetznerRefusalError('invalid_input', `invalid input in field '${field}'`, {
      fields: [{ name: field, messages: [message] }],
    });
  }
}
