import { spawnSync } from 'node:child_process';
import type { PlaygroundRequest } from '#contracts';
import { snippetsOf } from './snippets.js';

const request: PlaygroundRequest = {
  model: 'small',
  input: ['it\'s "quoted"', 'näive $HOME `x`'],
  truncate: 'middle',
  input_type: 'query',
  dimensions: 8,
};
const of = (language: string, withKey = false) =>
  snippetsOf(request, 'http://127.0.0.1:8080', withKey).find((snippet) => snippet.language === language)!.code;

describe('snippets', () => {
  it('are shell that says the texts as they are', () => {
    // In place of curl, something that prints what it was given.
    const shown = spawnSync('sh', ['-c', `curl() { printf '%s\\n' "$@"; }\n${of('curl')}`], { encoding: 'utf8' });
    expect(shown.stderr).toBe('');
    const body = JSON.parse(shown.stdout.trim().split('\n').at(-1)!) as object;
    expect(body).toEqual(request);
  });

  it('name the variable of the key, and only where one is asked for', () => {
    for (const language of ['curl', 'Python', 'TypeScript']) {
      expect(of(language)).not.toContain('EMBEDMILL_API_KEY');
      expect(of(language, true)).toContain('EMBEDMILL_API_KEY');
    }
  });

  it("hand Embedmill's own options to OpenAI's clients apart", () => {
    expect(of('Python')).toContain('extra_body={"input_type":"query","truncate":"middle"}');
    expect(of('TypeScript')).toContain('...({"input_type":"query","truncate":"middle"} as object)');
    expect(of('Python')).toContain('dimensions=8');
  });
});
