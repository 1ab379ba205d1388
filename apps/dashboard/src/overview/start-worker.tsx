import { CopyButton } from '../parts/copy-button.js';

const COMMANDS = [
  { where: 'One machine: Redis, API and worker together', command: 'npm start -- --workers 1' },
  { where: 'Containers', command: 'docker compose up -d --scale worker=1' },
  { where: 'By hand, with the REDIS_URL of the API', command: 'node dist/apps/worker/src/main.js' },
];

/** Commands that start a worker. */
export function StartWorker() {
  return (
    <section class="advice">
      <h3>Start a worker</h3>
      <p>
        Work is accepted meanwhile, and waits. The first start of a model may take a while: it is fetched and compiled.
      </p>
      <ul>
        {COMMANDS.map(({ where, command }) => (
          <li key={command}>
            <span>{where}</span>
            <code>{command}</code>
            <CopyButton text={command} what={`the command: ${command}`} />
          </li>
        ))}
      </ul>
    </section>
  );
}
