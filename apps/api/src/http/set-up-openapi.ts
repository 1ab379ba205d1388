import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { apiErrorBodySchema } from '#contracts';
import { jsonSchema } from './json-schema.js';

/** Swagger UI needs inline styles, and images as data URLs in its stylesheet. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

/** Serves the API reference at `/docs` and the OpenAPI document at `/docs-json`. */
export function setUpOpenApi(app: NestFastifyApplication, version: string): void {
  const description = new DocumentBuilder()
    .setTitle('Embedmill')
    .setDescription('Text embeddings as a queue: wait for vectors, or submit jobs of any size and collect them later.')
    .setVersion(version)
    .addGlobalResponse({ description: 'Any error', schema: jsonSchema(apiErrorBodySchema, 'output') })
    .build();
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url?.startsWith('/docs') === true) void reply.header('content-security-policy', POLICY);
    done();
  });
  SwaggerModule.setup('docs', app, () => nameModelId(SwaggerModule.createDocument(app, description)));
}

/** The route of one model is a wildcard, since model names contain slashes; OpenAPI has only named parameters. */
function nameModelId(document: OpenAPIObject): OpenAPIObject {
  const { '/v1/models/{path}': route, ...paths } = document.paths;
  if (route === undefined) return document;
  const id = {
    name: 'id',
    in: 'path' as const,
    required: true,
    description: 'May hold slashes',
    schema: { type: 'string' },
  };
  return { ...document, paths: { ...paths, '/v1/models/{id}': { ...route, parameters: [id] } } };
}
