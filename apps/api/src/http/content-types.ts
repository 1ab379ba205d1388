import { ApiError } from '#contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { jsonProblem } from './json-problem.js';

/** Types whose bodies are one text a line; they reach the controller as a stream. */
const LINE_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/**
 * The two kinds of body: JSON, read whole up to a limit and only as valid UTF-8; and lines, which stay a stream.
 * Every other type is refused with 415.
 */
export function registerContentTypes(fastify: FastifyInstance, maxBodyBytes: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    (request, body, done) => {
      try {
        requirePlain(request);
        // Many clients name the type of a body that they do not send.
        const none = request.method === 'DELETE' && body.length === 0;
        done(null, none ? undefined : parseJson(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    },
  );
  fastify.addContentTypeParser(LINE_TYPES, { bodyLimit: Number.MAX_SAFE_INTEGER }, (request, payload, done) => {
    try {
      requirePlain(request);
      done(null, payload);
    } catch (error) {
      done(error as Error);
    }
  });
}

function requirePlain({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new ApiError({
    status: 415,
    code: 'unsupported_content_encoding',
    param: 'content-encoding',
    message: `Bodies are taken as they are, not with the content encoding "${encoding}".`,
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(body: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch (cause) {
    throw new ApiError({ status: 400, code: 'invalid_utf8', message: 'The body is not valid UTF-8.', cause });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const message = `The body is not valid JSON: ${jsonProblem(cause)}.`;
    throw new ApiError({ status: 400, code: 'invalid_json', message, cause });
  }
}
