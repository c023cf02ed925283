// hcloud-js 1.4.1 has no types. Only its transport is used, so only that is described.
declare module 'hcloud-js' {
  import type { AxiosInstance } from 'axios';

  export interface ClientOptions {
    token: string;
    baseURL?: string;
    /** Milliseconds. */
    timeout?: number;
  }

  export class Client {
    constructor(options: ClientOptions);
    readonly axios: AxiosInstance;
  }
}
