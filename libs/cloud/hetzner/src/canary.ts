import { Client } from '@agent-controller/clients';
export const canary = Client;
