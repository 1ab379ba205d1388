export { type NewKey, ApiKeys, holdsKey } from './api-keys.js';
export { newKeyOf, viewKey } from './api-key-view.js';
export { AuditLog } from './audit-log.js';
export { Authenticator, bearerOf, requireScope } from './authenticator.js';
export { KeyRefusedError, missingKey } from './key-refused.js';
export { type RateWindow, RateWindows } from './rate-windows.js';
export { type DashboardSession, Sessions } from './sessions.js';
