/** Injection tokens of what the app provides to the workflow. */
export const CLOCK = Symbol('CLOCK');
export const LOGGER = Symbol('LOGGER');
