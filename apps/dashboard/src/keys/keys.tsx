import { useState } from 'preact/hooks';
import type { ApiKeyList, ApiKeyObject } from '#contracts';
import { count, moment } from '../figures/format.js';
import { Confirm } from '../parts/confirm.js';
import { Empty, Problem, Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { send } from '../server/http.js';
import { session } from '../server/session.js';
import { useResource } from '../server/use-resource.js';
import { NewKey } from './new-key.js';

export function Keys() {
  const keys = useResource<ApiKeyList>('/admin/v1/keys');
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiKeyObject | null>(null);
  return (
    <>
      {session.value?.access_control === false && (
        <p class="notice warn">
          <span>
            <b>Access control is off:</b> everybody who reaches this address may do everything, with or without a key.
          </span>
        </p>
      )}
      <p class="actions">
        <button type="button" class="primary" onClick={() => setMaking(true)}>
          Create a key
        </button>
      </p>
      {keys.data !== null ? (
        <List keys={keys.data.data} revoke={setRevoking} />
      ) : keys.failure === null ? (
        <Skeleton lines={5} />
      ) : (
        <Problem failure={keys.failure} retry={keys.reload} />
      )}
      {making && (
        <NewKey
          onClose={() => {
            setMaking(false);
            keys.reload();
          }}
        />
      )}
      {revoking !== null && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          verb="Revoke the key"
          grave
          onClose={() => setRevoking(null)}
          act={async () => {
            await send('DELETE', `/admin/v1/keys/${encodeURIComponent(revoking.id)}`);
            keys.reload();
            return `The key ${revoking.name} is revoked.`;
          }}
        >
          <p>
            Requests with the key <span class="id">{revoking.id}</span> are refused from then on, also those of programs
            that use it now. Its jobs stay. This cannot be undone.
          </p>
        </Confirm>
      )}
    </>
  );
}

interface ListProps {
  readonly keys: readonly ApiKeyObject[];
  readonly revoke: (key: ApiKeyObject) => void;
}

function List({ keys, revoke }: ListProps) {
  if (keys.length === 0) {
    return (
      <Empty title="There are no keys">
        <p>A key says who sends what, and what they may do. It is shown once, when it is made.</p>
      </Empty>
    );
  }
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Keys">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Scopes</th>
            <th scope="col">Tenant</th>
            <th scope="col" class="number">
              Limits a minute
            </th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id} data-key={key.id}>
              <th scope="row" data-label="Name">
                <b>{key.name}</b>
                <small>
                  <span class="id">{key.id}</span>
                </small>
              </th>
              <td data-label="State">
                <KeyState apiKey={key} />
              </td>
              <td data-label="Scopes">{key.scopes.join(', ')}</td>
              <td data-label="Tenant">{key.tenant}</td>
              <td class="number" data-label="Limits a minute">
                {limit(key.requests_per_minute, 'requests')}
                <br />
                {limit(key.tokens_per_minute, 'tokens')}
              </td>
              <td data-label="Created">{moment(key.created_at)}</td>
              <td data-label="Last used">{key.last_used_at === null ? 'never' : moment(key.last_used_at)}</td>
              <td data-label="Expires">{key.expires_at === null ? 'never' : moment(key.expires_at)}</td>
              <td data-label="Actions">
                <button
                  type="button"
                  class="small"
                  aria-label={`Revoke ${key.name}`}
                  disabled={key.revoked_at !== null}
                  onClick={() => revoke(key)}
                >
                  Revoke
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function KeyState({ apiKey: { revoked_at: revoked, expires_at: expires } }: { readonly apiKey: ApiKeyObject }) {
  if (revoked !== null) return <State state="cancelled" words="revoked" />;
  if (expires !== null && expires * 1000 < Date.now()) return <State state="cancelled" words="expired" />;
  return <State state="ready" words="valid" />;
}

function limit(value: number | null, noun: string): string {
  return value === null ? `any ${noun}` : `${count(value)} ${noun}`;
}
