/**
 * The address of a deployment, without a trailing slash and without the `/v1` that OpenAI's clients append.
 * @throws TypeError when it is not an http or https URL
 */
export function baseUrlOf(given: string): string {
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new TypeError(`${given} is no address like http://127.0.0.1:8080`);
  }
  return given.replace(/\/+$/, '').replace(/\/v1$/, '');
}
