/**
 * The arrows of the house: apps -> libs, inference -> model, everything -> contracts; nothing else.
 * Libraries are reached by their name (`#store`), which resolves to their index in the build output.
 */
const lib = (name) => `^(dist/)?libs/${name}/`;
const reaches = {
  client: ['contracts'],
  contracts: [],
  config: ['contracts'],
  model: ['contracts'],
  inference: ['contracts', 'model'],
  store: ['contracts', 'config'],
  access: ['contracts', 'config', 'store'],
  queue: ['contracts', 'config', 'store'],
  telemetry: ['contracts', 'config'],
};
const specs = '\\.(spec|fixture)\\.[tj]s$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(reaches).map(([name, allowed]) => ({
      name: `${name}-reaches-${allowed.join('-and-') || 'nothing-of-ours'}`,
      severity: 'error',
      from: { path: lib(name), pathNot: specs },
      to: { path: '^(dist/)?(apps|libs|bench|test)/', pathNot: [name, ...allowed].map(lib) },
    })),
    {
      name: 'libs-know-no-nest',
      severity: 'error',
      comment: 'Libraries export plain classes and functions; an app wires them.',
      from: { path: '^libs/' },
      to: { path: 'node_modules/(@nestjs|nestjs-pino|rxjs|reflect-metadata)/' },
    },
    {
      name: 'inference-and-model-know-no-redis',
      severity: 'error',
      from: { path: '^libs/(inference|model)/' },
      to: { path: 'node_modules/(ioredis|bullmq)/' },
    },
    {
      name: 'client-knows-types-of-contracts',
      severity: 'error',
      comment: 'It is published alone and runs in browsers, too: no schemas, and of Node only in `#client/node`.',
      from: { path: lib('client'), pathNot: [specs, '^libs/client/src/node\\.ts$'] },
      to: { path: ['^(dist/)?libs/contracts/', 'node_modules/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'client-needs-no-node',
      severity: 'error',
      from: { path: lib('client'), pathNot: [specs, '^libs/client/src/node\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'apps-are-apart',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: specs },
      to: { path: '^(dist/)?apps/', pathNot: '^(dist/)?apps/$1/' },
    },
    {
      name: 'dashboard-knows-types-of-contracts',
      severity: 'error',
      comment: 'A browser gets no schemas: `import type` from `#contracts`, and nothing else of ours.',
      from: { path: '^apps/dashboard/', pathNot: specs },
      to: { path: '^(dist/)?libs/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'dashboard-knows-contracts-only',
      severity: 'error',
      from: { path: '^apps/dashboard/', pathNot: specs },
      to: { path: '^(dist/)?libs/', pathNot: lib('contracts') },
    },
    {
      name: 'libs-by-their-name',
      severity: 'error',
      comment: 'Import `#store`, not a file inside it.',
      from: { path: '^(apps|libs|bench|test)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/', pathNot: ['^libs/$2/'] },
    },
    {
      name: 'product-needs-no-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: specs },
      to: { path: ['^(dist/)?(test|bench)/', specs] },
    },
    {
      name: 'product-needs-no-stand-ins',
      severity: 'error',
      comment: '`#inference/testing` is for specs and benches.',
      from: { path: '^(apps|libs)/', pathNot: [specs, '^libs/inference/src/testing\\.ts$'] },
      to: { path: '^(dist/)?libs/inference/src/testing\\.[tj]s$' },
    },
    {
      name: 'product-needs-no-dev-packages',
      severity: 'error',
      comment: 'The dashboard is bundled: its packages are needed at the build only.',
      from: { path: '^(apps|libs)/', pathNot: [specs, '^apps/dashboard/'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
