import { ApiError } from '#contracts';

/** Error for requests that a shutdown cannot wait for; another process may serve the retry. */
export function shuttingDown(consequence: string): ApiError {
  const message = `The service is shutting down. ${consequence} Send the request again.`;
  return new ApiError({ status: 503, code: 'shutting_down', message, retryAfter: 5 });
}
