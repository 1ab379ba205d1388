import { signIn } from '../server/sign-in.js';
import { useAction } from '../server/use-action.js';
import { Mark } from '../shell/mark.js';

/** Form that asks for an admin key. */
export function SignIn() {
  const { busy, problem, run } = useAction();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const key = new FormData(event.currentTarget as HTMLFormElement).get('key') as string;
    void run(() => signIn(key.trim()));
  };
  return (
    <main class="alone">
      <form class="sign-in" onSubmit={submit}>
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
