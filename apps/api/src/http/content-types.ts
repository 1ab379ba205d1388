import { ApiError } from '#contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { jsonProblem } from './json-problem.js';

/** Content types with one text per line; the controller receives such a body as a stream. */
const LINE_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/**
 * Registers the two kinds of body: JSON, which is read completely, up to a limit, and must be valid UTF-8; and lines,
 * which stay a stream. Every other content type is refused with 415.
 * @param maxBodyBytes limit of a JSON body
 */
export function registerContentTypes(fastify: FastifyInstance, maxBodyBytes: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    (request, body, done) => {
      try {
        requirePlain(request);
        // Many clients send a content type without a body.
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
