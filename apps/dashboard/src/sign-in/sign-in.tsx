import { useState } from 'preact/hooks';
import { Failure } from '../server/http.js';
import { signIn } from '../server/sign-in.js';
import { Mark } from '../shell/mark.js';

/** Where an admin key is asked for. */
export function SignIn() {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const key = new FormData(event.currentTarget as HTMLFormElement).get('key') as string;
    setBusy(true);
    setProblem(null);
    try {
      await signIn(key.trim());
    } catch (error) {
      setProblem(error instanceof Failure ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <main class="alone">
      <form class="sign-in" onSubmit={(event) => void submit(event)}>
        <h1>
          <Mark /> Embedmill
        </h1>
        <label for="key">Admin key</label>
        <input
          id="key"
          name="key"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby={problem === null ? 'key-hint' : 'key-problem'}
          aria-invalid={problem !== null}
        />
        {problem !== null && (
          <p class="problem" id="key-problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
        <p id="key-hint" class="hint">
          A key with the scope <code>admin</code>. Make one where the API runs:
          <code class="block">npx embedmill keys create --name me --scopes admin</code>
        </p>
      </form>
    </main>
  );
}
