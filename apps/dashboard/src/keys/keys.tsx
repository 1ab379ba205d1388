import { useState } from 'preact/hooks';
import type { ApiKeyList, ApiKeyObject } from '#contracts';
import { count, moment } from '../figures/format.js';
import { Confirm } from '../parts/confirm.js';
import { Loaded } from '../parts/loaded.js';
import { Empty } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { type Column, Table } from '../parts/table.js';
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
      <Loaded resource={keys} lines={5}>
        {({ data }) => (
          <Table
            caption="API keys"
            columns={columnsOf(setRevoking)}
            rows={data}
            id={({ id }) => id}
            data={({ id }) => ({ 'data-key': id })}
            empty={
              <Empty title="There are no keys">
                <p>A key says who sends what, and what they may do. It is shown once, when it is made.</p>
              </Empty>
            }
          />
        )}
      </Loaded>
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
          danger
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

function columnsOf(revoke: (key: ApiKeyObject) => void): readonly Column<ApiKeyObject>[] {
  return [
    {
      title: 'Name',
      cell: ({ name, id }) => (
        <>
          <b>{name}</b>
          <small>
            <span class="id">{id}</span>
          </small>
        </>
      ),
    },
    { title: 'State', cell: (key) => <KeyState apiKey={key} /> },
    { title: 'Scopes', cell: ({ scopes }) => scopes.join(', ') },
    { title: 'Tenant', cell: ({ tenant }) => tenant },
    {
      title: 'Limits a minute',
      cell: (key) => (
        <>
          {limit(key.requests_per_minute, 'requests')}
          <br />
          {limit(key.tokens_per_minute, 'tokens')}
        </>
      ),
      number: true,
    },
    { title: 'Created', cell: (key) => moment(key.created_at) },
    { title: 'Last used', cell: (key) => momentOrNever(key.last_used_at) },
    { title: 'Expires', cell: (key) => momentOrNever(key.expires_at) },
    {
      title: 'Actions',
      cell: (key) => (
        <button
          type="button"
          class="small"
          aria-label={`Revoke ${key.name}`}
          disabled={key.revoked_at !== null}
          onClick={() => revoke(key)}
        >
          Revoke
        </button>
      ),
    },
  ];
}

function KeyState({ apiKey: { revoked_at: revoked, expires_at: expires } }: { readonly apiKey: ApiKeyObject }) {
  if (revoked !== null) return <State state="cancelled" label="revoked" />;
  if (expires !== null && expires * 1000 < Date.now()) return <State state="cancelled" label="expired" />;
  return <State state="ready" label="valid" />;
}

function limit(value: number | null, noun: string): string {
  return value === null ? `any ${noun}` : `${count(value)} ${noun}`;
}

function momentOrNever(at: number | null): string {
  return at === null ? 'never' : moment(at);
}
