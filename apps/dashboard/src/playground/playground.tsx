import { useState } from 'preact/hooks';
import type { PlaygroundRequest, PlaygroundResponse } from '#contracts';
import { ActionProblem, Skeleton } from '../parts/notice.js';
import { send } from '../server/http.js';
import { snapshot } from '../server/live.js';
import { useAction } from '../server/use-action.js';
import { Answer } from './answer.js';

const MOST_TEXTS = 32;
const EXAMPLE = [
  'The river froze over in January.',
  'Ice covered the stream all winter.',
  'She plays the cello in an orchestra.',
  'A string quartet rehearses next door.',
  'Interest rates rose by half a point.',
  'The central bank made borrowing dearer.',
].join('\n');

interface Shown {
  readonly request: PlaygroundRequest;
  readonly response: PlaygroundResponse;
}

/** Embeds a few texts in one request to the service, and shows the result of each. */
export function Playground() {
  const [shown, setShown] = useState<Shown | null>(null);
  const { busy, problem, run } = useAction();
  const [texts, setTexts] = useState(EXAMPLE);
  const models = snapshot.value?.models;
  if (models === undefined) return <Skeleton lines={8} />;

  const input = linesOf(texts);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const request = requestOf(new FormData(event.currentTarget as HTMLFormElement), input);
    void run(async () => {
      setShown({ request, response: await send<PlaygroundResponse>('POST', '/admin/v1/playground', request) });
    });
  };
  return (
    <>
      <form class="playground-form" onSubmit={submit}>
        <label class="texts">
          Texts, one a line, at most {MOST_TEXTS}
          <textarea
            rows={7}
            value={texts}
            spellcheck={false}
            onInput={(event) => setTexts(event.currentTarget.value)}
          />
        </label>
        <div class="fields">
          <label>
            Model
            <select name="model">
              {models.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label>
            Input type
            <select name="input_type">
              <option value="">none</option>
              <option>query</option>
              <option>document</option>
            </select>
          </label>
          <label>
            Truncate at
            <select name="truncate">
              <option value="">as the model</option>
              <option>end</option>
              <option>start</option>
              <option>middle</option>
            </select>
          </label>
          <label>
            Dimensions
            <input name="dimensions" type="number" min={1} placeholder="all" />
          </label>
          <button type="submit" class="primary" disabled={busy || input.length === 0 || input.length > MOST_TEXTS}>
            {busy ? 'Embedding …' : `Embed ${input.length}`}
          </button>
        </div>
      </form>
      <ActionProblem problem={problem} />
      {shown !== null && <Answer {...shown} />}
    </>
  );
}

function linesOf(texts: string): string[] {
  return texts
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function requestOf(form: FormData, input: string[]): PlaygroundRequest {
  const inputType = form.get('input_type') as string;
  const truncate = form.get('truncate') as '' | NonNullable<PlaygroundRequest['truncate']>;
  const dimensions = form.get('dimensions') as string;
  return {
    model: form.get('model') as string,
    input,
    ...(truncate === '' ? {} : { truncate }),
    ...(inputType === '' ? {} : { input_type: inputType }),
    ...(dimensions === '' ? {} : { dimensions: Number(dimensions) }),
  };
}
