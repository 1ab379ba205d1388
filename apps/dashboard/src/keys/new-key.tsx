import { useState } from 'preact/hooks';
import type { ApiKeyObject, Scope } from '#contracts';
import { CopyButton } from '../parts/copy-button.js';
import { Dialog } from '../parts/dialog.js';
import { Failure, send } from '../server/http.js';

const SCOPES: readonly { readonly scope: Scope; readonly words: string }[] = [
  { scope: 'embed', words: 'wait for vectors' },
  { scope: 'jobs', words: 'jobs and results of its tenant' },
  { scope: 'metrics', words: 'read /metrics' },
  { scope: 'admin', words: 'everything, this dashboard too' },
];
const EXPIRES = [
  { seconds: '', words: 'never' },
  { seconds: '86400', words: 'in a day' },
  { seconds: '2592000', words: 'in 30 days' },
  { seconds: '31536000', words: 'in a year' },
];

/** Makes a key and shows it, this once. */
export function NewKey({ onClose }: { readonly onClose: () => void }) {
  const [made, setMade] = useState<ApiKeyObject | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      setMade(
        await send<ApiKeyObject>(
          'POST',
          '/admin/v1/keys',
          requestOf(new FormData(event.currentTarget as HTMLFormElement)),
        ),
      );
    } catch (error) {
      setProblem(error instanceof Failure ? error.message : String(error));
    }
    setBusy(false);
  };
  if (made !== null) {
    return (
      <Dialog title={`The key ${made.name}`} onClose={onClose}>
        <div class="dialog-text">
          <p>Copy it now: only a hash of it is kept, and nobody can show it again.</p>
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
      <form class="fields" onSubmit={(event) => void submit(event)}>
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
          {SCOPES.map(({ scope, words }) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                name="scopes"
                value={scope}
                defaultChecked={scope === 'embed' || scope === 'jobs'}
              />
              <span>
                <b>{scope}</b> {words}
              </span>
            </label>
          ))}
        </fieldset>
        <label>
          Expires
          <select name="expires_in_seconds">
            {EXPIRES.map(({ seconds, words }) => (
              <option key={seconds} value={seconds}>
                {words}
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
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="dialog-actions">
          <button type="button" class="quiet" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" class="primary" disabled={busy}>
            Create
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What is left empty is left out, and the API's own default holds. */
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
