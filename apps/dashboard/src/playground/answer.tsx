import { useMemo } from 'preact/hooks';
import type { PlaygroundRequest, PlaygroundResponse } from '#contracts';
import { count } from '../figures/format.js';
import { project, similarities } from '../figures/projection.js';
import { HeatMap } from './heat-map.js';
import { Plane } from './plane.js';
import { Snippets } from './snippets.js';
import { Stages } from './stages.js';

export interface AnswerProps {
  readonly request: PlaygroundRequest;
  readonly response: PlaygroundResponse;
}

export function Answer({ request, response }: AnswerProps) {
  const { input } = request;
  const cosines = useMemo(() => similarities(response.data.map(({ embedding }) => embedding)), [response]);
  const projection = useMemo(() => project(response.data.map(({ embedding }) => embedding)), [response]);
  return (
    <div class="panels">
      <section class="panel whole">
        <h2>Time</h2>
        <Stages response={response} />
      </section>
      <section class="panel whole">
        <h2>Texts</h2>
        <div class="table-box" tabIndex={0} role="region" aria-label="Texts">
          <table class="texts-table">
            <thead>
              <tr>
                <th scope="col" class="number">
                  No.
                </th>
                <th scope="col">Text</th>
                <th scope="col" class="number">
                  Tokens
                </th>
                <th scope="col">Cut</th>
                <th scope="col">Vector</th>
              </tr>
            </thead>
            <tbody>
              {response.data.map(({ index, tokens, truncated, cached }) => (
                <tr key={index}>
                  <th scope="row" class="number">
                    {index + 1}
                  </th>
                  <td class="text">{input[index]}</td>
                  <td class="number">{count(tokens)}</td>
                  <td>{truncated ? <b class="warn">truncated</b> : 'whole'}</td>
                  <td>{cached ? 'cached' : 'computed'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section class="panel">
        <h2>Similarity</h2>
        <HeatMap texts={input} cosines={cosines} />
      </section>
      <section class="panel">
        <h2>Projection</h2>
        <Plane texts={input} projection={projection} />
      </section>
      <section class="panel whole">
        <h2>The same from a program</h2>
        <Snippets request={request} />
      </section>
    </div>
  );
}
