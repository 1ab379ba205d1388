/**
 * The name in a model's source, in lower case, by which its family is known: `bge-small-en-v1.5` for
 * `hub:Qdrant/bge-small-en-v1.5-onnx@COMMIT`, `folder:/models/bge-small-en-v1.5` and `npm:@me/bge-small-en-v1.5@1.0.0`.
 */
export function modelName(source: string): string {
  const last = source.split(/[/\\:]/).findLast((part) => part !== '') ?? '';
  return last
    .replace(/@.*$/, '')
    .toLowerCase()
    .replace(/-onnx(-q)?$/, '');
}
