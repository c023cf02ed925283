/** What DigitalOcean would refuse: the error handler makes its answer of it. */
export class DigitalOceanRefusalError extends Error {
  override readonly name = 'DigitalOceanRefusalError';

  constructor(
    readonly id: string,
    message: string,
  ) {
    super(message);
  }

  static unprocessable(message: string): DigitalOceanRefusalError {
    return new DigitalOceanRefusalError('unprocessable_entity', message);
  }

  static notFound(): DigitalOceanRefusalError {
    return new DigitalOceanRefusalError('not_found', 'The resource you were accessing could not be found.');
  }
}
