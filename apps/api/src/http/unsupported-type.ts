import { ApiError } from '#contracts';

export function unsupportedType(): ApiError {
  return new ApiError({
    status: 415,
    code: 'unsupported_media_type',
    param: 'content-type',
    message: 'The content type must be application/json, or application/x-ndjson for POST /v1/jobs.',
  });
}
