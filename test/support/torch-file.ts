import type { NamedTensor } from './random-model.js';

/** The bytes of a file as `torch.save` writes it: float32 tensors by name. @param pickle other content of data.pkl */
export function encodeTorchFile(tensors: ReadonlyMap<string, NamedTensor>, pickle = pickleOf(tensors)): Buffer {
  const storages = [...tensors.values()].map(({ data }, n) => {
    return [`weights/data/${n}`, Buffer.from(data.buffer, data.byteOffset, data.byteLength)] as const;
  });
  return zip([['weights/data.pkl', pickle], ['weights/byteorder', Buffer.from('little')], ...storages]);
}

function pickleOf(tensors: ReadonlyMap<string, NamedTensor>): Buffer {
  const parts = [...tensors].map(([name, { data, shape }], n) => {
    const strides = shape.map((_, at) => shape.slice(at + 1).reduce((product, size) => product * size, 1));
    return [
      text(name),
      global('torch._utils', '_rebuild_tensor_v2'),
      tuple(
        Buffer.concat([
          tuple(text('storage'), global('torch', 'FloatStorage'), text(String(n)), text('cpu'), whole(data.length)),
          Buffer.from('Q'),
        ]),
        whole(0),
        tuple(...shape.map(whole)),
        tuple(...strides.map(whole)),
        Buffer.from([0x89]),
        Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')R')]),
      ),
      Buffer.from('R'),
    ];
  });
  const start = [Buffer.from([0x80, 2]), global('collections', 'OrderedDict'), Buffer.from(')R(')];
  return Buffer.concat([...start, ...parts.flat(), Buffer.from('u.')]);
}

/** The operations of a pickle that push these values. */
export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(5);
  head.write('X');
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export function whole(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write('J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

export function tuple(...values: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...values, Buffer.from('t')]);
}

/** An archive of files that are not compressed, without checksums. @param method 0: stored */
export function zip(files: readonly (readonly [name: string, content: Buffer])[], method = 0): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let end = 0;
  for (const [name, content] of files) {
    const path = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(path.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(path.length, 28);
    entry.writeUInt32LE(end, 42);
    parts.push(local, path, content);
    directory.push(entry, path);
    end += local.length + path.length + content.length;
  }
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50);
  tail.writeUInt32LE(Buffer.concat(directory).length, 12);
  tail.writeUInt32LE(end, 16);
  return Buffer.concat([...parts, ...directory, tail]);
}
