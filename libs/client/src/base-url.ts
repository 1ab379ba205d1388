/**
 * The address of a deployment, without what people add to it: a slash at its end, or the `/v1` of OpenAI's clients.
 * @throws TypeError for an address that is none, or neither http nor https
 */
export function baseUrlOf(given: string): string {
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new TypeError(`${given} is no address like http://127.0.0.1:8080`);
  }
  return given.replace(/\/+$/, '').replace(/\/v1$/, '');
}
