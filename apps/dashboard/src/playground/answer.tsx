import { useMemo } from 'preact/hooks';
import type { PlaygroundRequest, PlaygroundResponse } from '#contracts';
import { count } from '../figures/format.js';
import { project, similarities } from '../figures/projection.js';
import { Panel } from '../parts/panel.js';
import { type Column, Table } from '../parts/table.js';
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
      <Panel title="Time" wide>
        <Stages response={response} />
      </Panel>
      <Panel title="Texts" wide>
        <Table
          caption="Texts"
          layout="plain"
          columns={columnsOf(input)}
          rows={response.data}
          id={({ index }) => index}
        />
      </Panel>
      <Panel title="Similarity">
        <HeatMap texts={input} cosines={cosines} />
      </Panel>
      <Panel title="Projection">
        <Plane texts={input} projection={projection} />
      </Panel>
      <Panel title="The same from a program" wide>
        <Snippets request={request} />
      </Panel>
    </div>
  );
}

function columnsOf(input: readonly string[]): readonly Column<PlaygroundResponse['data'][number]>[] {
  return [
    { title: 'No.', cell: ({ index }) => index + 1, number: true },
    { title: 'Text', cell: ({ index }) => <span class="text">{input[index]}</span> },
    { title: 'Tokens', cell: ({ tokens }) => count(tokens), number: true },
    { title: 'Truncated', cell: ({ truncated }) => (truncated ? <b class="warn">yes</b> : 'no') },
    { title: 'Vector', cell: ({ cached }) => (cached ? 'cached' : 'computed') },
  ];
}
