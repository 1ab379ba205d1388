import { useState } from 'preact/hooks';
import type { ApiKeyObject, Scope } from '#contracts';
import { CopyButton } from '../parts/copy-button.js';
import { Dialog, DialogActions } from '../parts/dialog.js';
import { ActionProblem } from '../parts/notice.js';
import { send } from '../server/http.js';
import { useAction } from '../server/use-action.js';

const SCOPES: readonly { readonly scope: Scope; readonly label: string }[] = [
  { scope: 'embed', label: 'wait for vectors' },
  { scope: 'jobs', label: 'jobs and results of its tenant' },
  { scope: 'metrics', label: 'read /metrics' },
  { scope: 'admin', label: 'everything, this dashboard too' },
];
const EXPIRES = [
  { seconds: '', label: 'never' },
  { seconds: '86400', label: 'in a day' },
  { seconds: '2592000', label: 'in 30 days' },
  { seconds: '31536000', label: 'in a year' },
];

/** Creates a key, and shows it once. */
export function NewKey({ onClose }: { readonly onClose: () => void }) {
  const [made, setMade] = useState<ApiKeyObject | null>(null);
  const { busy, problem, run } = useAction();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const request = requestOf(new FormData(event.currentTarget as HTMLFormElement));
    void run(async () => setMade(await send<ApiKeyObject>('POST', '/admin/v1/keys', request)));
  };
  if (made !== null) {
    return (
      <Dialog title={`The key ${made.name}`} onClose={onClose}>
        <div class="dialog-text">
          <p>Copy it now: only its hash is kept, and it cannot be shown again.</p>
          <p class="secret">
            <code data-secret>{made.key}</code>
            <CopyButton text={made.key ?? ''} what="the key" />
          </p>
        </div>
        <div class="dialog-actions">
          <button type="button" class="primary" onClick={onClose}>
            I have it
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="Create a key" onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <label>
          Name
          <input name="name" required maxLength={100} placeholder="who or what uses it" />
        </label>
        <label>
          Tenant
          <input
            name="tenant"
            defaultValue="default"
            required
            maxLength={64}
            pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
            title="letters, digits and . _ -"
          />
        </label>
        <fieldset>
          <legend>May</legend>
          {SCOPES.map(({ scope, label }) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                name="scopes"
                value={scope}
                defaultChecked={scope === 'embed' || scope === 'jobs'}
              />
              <span>
                <b>{scope}</b> {label}
              </span>
            </label>
          ))}
        </fieldset>
        <label>
          Expires
          <select name="expires_in_seconds">
            {EXPIRES.map(({ seconds, label }) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <div class="pair">
          <label>
            Requests a minute
            <input name="requests_per_minute" type="number" min={1} placeholder="any" />
          </label>
          <label>
            Tokens a minute
            <input name="tokens_per_minute" type="number" min={1} placeholder="any" />
          </label>
        </div>
        <ActionProblem problem={problem} />
        <DialogActions onClose={onClose}>
          <button type="submit" class="primary" disabled={busy}>
            Create
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Omits empty fields, so that the API's defaults apply. */
function requestOf(form: FormData): object {
  const number = (name: string) => (form.get(name) === '' ? {} : { [name]: Number(form.get(name)) });
  return {
    name: form.get('name'),
    tenant: form.get('tenant'),
    scopes: form.getAll('scopes'),
    ...number('expires_in_seconds'),
    ...number('requests_per_minute'),
    ...number('tokens_per_minute'),
  };
}
