import { useState } from 'preact/hooks';
import type { AuditEntry, AuditLog as AuditPage } from '#contracts';
import { moment } from '../figures/format.js';
import { Loaded } from '../parts/loaded.js';
import { Empty } from '../parts/notice.js';
import { type Column, Table } from '../parts/table.js';
import { useResource } from '../server/use-resource.js';

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'When', cell: ({ at }) => moment(at) },
  {
    title: 'Who',
    cell: ({ actor }) => (actor === null ? 'anonymous (access control is off)' : (actor.name ?? actor.key_id)),
  },
  { title: 'Action', cell: ({ action }) => <code>{action}</code> },
  { title: 'Target', cell: ({ target }) => target },
  { title: 'Detail', cell: ({ detail }) => detail },
  { title: 'Request', cell: ({ request_id: request }) => <span class="id">{request}</span> },
];

export function Audit() {
  return (
    <>
      <p class="hint">What operators did, newest first.</p>
      <AuditLog />
    </>
  );
}

/** The audit log, page by page; the page shown is reloaded with every snapshot. */
export function AuditLog() {
  const [cursor, setCursor] = useState('');
  const page = useResource<AuditPage>(`/admin/v1/audit${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`);
  return (
    <Loaded resource={page} lines={4}>
      {({ data, next_cursor: next }) => (
        <>
          <Table
            caption="Audit log"
            columns={COLUMNS}
            rows={data}
            id={({ id }) => id}
            data={({ action }) => ({ 'data-action': action })}
            empty={<NoEntries first={cursor === ''} />}
          />
          <p class="pages">
            {cursor !== '' && (
              <button type="button" class="small" onClick={() => setCursor('')}>
                Newest
              </button>
            )}
            {next !== null && (
              <button type="button" class="small" onClick={() => setCursor(next)}>
                Older
              </button>
            )}
          </p>
        </>
      )}
    </Loaded>
  );
}

function NoEntries({ first }: { readonly first: boolean }) {
  return (
    <Empty title={first ? 'No entries yet' : 'No older entries'}>
      <p>Pausing a queue, cancelling a job or revoking a key is recorded here.</p>
    </Empty>
  );
}
