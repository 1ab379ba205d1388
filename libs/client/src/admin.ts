import type { ApiKeyList, ApiKeyObject, AuditLog, History, HistoryRange, newApiKeySchema, Snapshot } from '#contracts';
import type { z } from 'zod';
import type { CallOptions, Transport } from './transport.js';

/** Body of a request for a new key: its name, and what differs from the defaults. */
export type NewApiKeyRequest = z.input<typeof newApiKeySchema>;

export interface AuditOptions extends CallOptions {
  /** `next_cursor` of the previous page. */
  readonly cursor?: string | undefined;
  /** Entries per page, 1 to 500. Default 50. */
  readonly limit?: number | undefined;
}

/** `/admin/v1`; requires an API key with the scope `admin`. */
export class AdminClient {
  readonly keys: KeysClient;
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.keys = new KeysClient(transport);
  }

  /** Current queues, rates and workers. */
  async snapshot(options: CallOptions = {}): Promise<Snapshot> {
    const { body } = await this.#transport.json<Snapshot>({ ...options, path: '/admin/v1/snapshot' }, ({ workers }) =>
      Array.isArray(workers),
    );
    return body;
  }

  /** Time series of each model. @param range default `5m` */
  async history(range: HistoryRange = '5m', options: CallOptions = {}): Promise<History> {
    const { body } = await this.#transport.json<History>(
      { ...options, path: '/admin/v1/history', query: { range } },
      ({ times }) => Array.isArray(times),
    );
    return body;
  }

  /** One page of the audit log, newest entries first. */
  async audit({ cursor, limit, ...options }: AuditOptions = {}): Promise<AuditLog> {
    const { body } = await this.#transport.json<AuditLog>(
      { ...options, path: '/admin/v1/audit', query: { cursor, limit } },
      ({ data }) => Array.isArray(data),
    );
    return body;
  }
}

/** `/admin/v1/keys`. */
class KeysClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All keys, newest first, without their secrets. */
  async list(options: CallOptions = {}): Promise<ApiKeyObject[]> {
    const { body } = await this.#transport.json<ApiKeyList>(
      { ...options, path: '/admin/v1/keys' },
      ({ data, object }) => object === 'list' && Array.isArray(data),
    );
    return body.data;
  }

  /**
   * Creates a key. Only this response has the key itself, as `key`. Not retried after a broken connection, since the
   * key may have been created.
   */
  async create(wanted: NewApiKeyRequest, options: CallOptions = {}): Promise<ApiKeyObject> {
    const { body } = await this.#transport.json<ApiKeyObject>(
      {
        ...options,
        method: 'POST',
        path: '/admin/v1/keys',
        contentType: 'application/json',
        body: () => JSON.stringify(wanted),
        repeat: 'refused',
      },
      ({ object }) => object === 'api_key',
    );
    return body;
  }

  /** Revokes a key: from now on it is refused. @throws EmbedmillApiError 404 `key_not_found` */
  async revoke(id: string, options: CallOptions = {}): Promise<ApiKeyObject> {
    const { body } = await this.#transport.json<ApiKeyObject>(
      { ...options, method: 'DELETE', path: `/admin/v1/keys/${encodeURIComponent(id)}` },
      ({ object }) => object === 'api_key',
    );
    return body;
  }
}
