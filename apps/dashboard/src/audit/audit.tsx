import { useState } from 'preact/hooks';
import type { AuditEntry, AuditLog as AuditPage } from '#contracts';
import { moment } from '../figures/format.js';
import { Empty, Problem, Skeleton } from '../parts/notice.js';
import { useResource } from '../server/use-resource.js';

export function Audit() {
  return (
    <>
      <p class="hint">What operators did, newest first.</p>
      <AuditLog />
    </>
  );
}

/** Pages of the log; the first is kept fresh. */
export function AuditLog() {
  const [cursor, setCursor] = useState('');
  const page = useResource<AuditPage>(`/admin/v1/audit${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`);
  if (page.data === null) {
    return page.failure === null ? <Skeleton lines={4} /> : <Problem failure={page.failure} retry={page.reload} />;
  }
  const { data, next_cursor: next } = page.data;
  if (data.length === 0 && cursor === '') {
    return (
      <Empty title="Nothing was done yet">
        <p>Pausing a lane, cancelling a job or revoking a key is written down here.</p>
      </Empty>
    );
  }
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label="Audit log">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">Action</th>
              <th scope="col">Target</th>
              <th scope="col">Detail</th>
              <th scope="col">Request</th>
            </tr>
          </thead>
          <tbody>
            {data.map((entry) => (
              <Row key={entry.id} entry={entry} />
            ))}
          </tbody>
        </table>
      </div>
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
  );
}

function Row({ entry }: { readonly entry: AuditEntry }) {
  const { actor } = entry;
  return (
    <tr data-action={entry.action}>
      <th scope="row" data-label="When">
        {moment(entry.at)}
      </th>
      <td data-label="Who">{actor === null ? 'anybody (no access control)' : (actor.name ?? actor.key_id)}</td>
      <td data-label="Action">
        <code>{entry.action}</code>
      </td>
      <td data-label="Target">{entry.target}</td>
      <td data-label="Detail">{entry.detail}</td>
      <td data-label="Request">
        <span class="id">{entry.request_id}</span>
      </td>
    </tr>
  );
}
