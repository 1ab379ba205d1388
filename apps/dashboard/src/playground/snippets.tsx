import { useState } from 'preact/hooks';
import type { PlaygroundRequest } from '#contracts';
import { snippetsOf } from '../figures/snippets.js';
import { Choice } from '../parts/choice.js';
import { CopyButton } from '../parts/copy-button.js';
import { session } from '../server/session.js';

export function Snippets({ request }: { readonly request: PlaygroundRequest }) {
  const [chosen, setChosen] = useState('curl');
  const snippets = snippetsOf(request, location.origin, session.value?.access_control === true);
  const { language, code } = snippets.find((snippet) => snippet.language === chosen) ?? snippets[0]!;
  return (
    <>
      <div class="bar">
        <Choice
          label="Language"
          options={snippets.map((snippet) => snippet.language)}
          name={(option) => option}
          chosen={language}
          choose={setChosen}
        />
        <CopyButton text={code} what={`the ${language} program`} />
      </div>
      <pre class="snippet" tabIndex={0} aria-label={`${language} program`}>
        <code>{code}</code>
      </pre>
    </>
  );
}
