export { accessControl } from './access-control.js';
export { cacheTtlSeconds } from './cache-lifetime.js';
export { type ClientEnvironment, readClientEnvironment } from './client-environment.js';
export { type Environment, environmentSchema, readEnvironment } from './environment.js';
export { tracesOn } from './traces.js';
export { unknownVariables } from './unknown-variables.js';
