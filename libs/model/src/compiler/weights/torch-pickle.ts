/** A tensor in a file of PyTorch: a view of a part of a storage. */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    /** Place of the first number in the storage, and numbers between neighbours in each dimension. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

export class PickledStorage {
  constructor(
    readonly type: TorchType,
    /** Name of its file in the archive. */
    readonly key: string,
    /** Numbers in it. */
    readonly count: number,
  ) {}
}

export interface TorchType {
  /** In safetensors. */
  readonly name: string;
  readonly bytes: number;
}

/** Classes of storages in `torch`. */
const STORAGES: Readonly<Record<string, TorchType>> = {
  DoubleStorage: { name: 'F64', bytes: 8 },
  FloatStorage: { name: 'F32', bytes: 4 },
  HalfStorage: { name: 'F16', bytes: 2 },
  BFloat16Storage: { name: 'BF16', bytes: 2 },
  LongStorage: { name: 'I64', bytes: 8 },
  IntStorage: { name: 'I32', bytes: 4 },
  ShortStorage: { name: 'I16', bytes: 2 },
  CharStorage: { name: 'I8', bytes: 1 },
  ByteStorage: { name: 'U8', bytes: 1 },
  BoolStorage: { name: 'BOOL', bytes: 1 },
};

/** What may be called, by module and name. Nothing is imported or executed: these are done here. */
const CALLS = {
  'collections OrderedDict': () => new Map<unknown, unknown>(),
  'torch._utils _rebuild_tensor_v2': ([storage, offset, shape, strides]: readonly unknown[]) => {
    if (!(storage instanceof PickledStorage)) throw new Error('a tensor has no storage');
    return new PickledTensor(storage, size(offset), sizes(shape), sizes(strides));
  },
  'torch._utils _rebuild_parameter': ([tensor]: readonly unknown[]) => tensor,
} satisfies Record<string, (args: readonly unknown[]) => unknown>;

class Global {
  constructor(readonly name: string) {}
}

const MARK = Symbol('mark');

/**
 * Reads a pickle that contains nothing but tensors by name, as `torch.save` writes a model's weights. Pickles are
 * programs; of their language only what such files need is known here.
 * @returns the tensors among the members of the dictionary that the pickle is
 * @throws Error that names what is not known
 */
export function unpickleTensors(pickle: Buffer): Map<string, PickledTensor> {
  const found = new Unpickler(pickle).run();
  if (!(found instanceof Map)) throw new Error('it is no dictionary of tensors');
  const tensors = new Map<string, PickledTensor>();
  for (const [name, value] of found) {
    if (typeof name === 'string' && value instanceof PickledTensor) tensors.set(name, value);
  }
  return tensors;
}

/** A stack machine; `pickletools` of Python describes its operations. */
class Unpickler {
  readonly #bytes: Buffer;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  run(): unknown {
    for (;;) {
      const code = this.#byte();
      if (code === CODES.stop) return this.#pop();
      this.#step(code);
    }
  }

  #step(code: number): void {
    switch (code) {
      case CODES.protocol:
        return void this.#byte();
      case CODES.mark:
        return this.#push(MARK);
      case CODES.none:
        return this.#push(null);
      case CODES.true:
        return this.#push(true);
      case CODES.false:
        return this.#push(false);
      case CODES.int1:
        return this.#push(this.#byte());
      case CODES.int2:
        return this.#push(this.#number(2));
      case CODES.int4:
        return this.#push(this.#bytes.readInt32LE(this.#skip(4)));
      case CODES.long: {
        const length = this.#byte();
        if (length > 6) throw new Error('a number is too large');
        return this.#push(length === 0 ? 0 : this.#bytes.readIntLE(this.#skip(length), length));
      }
      case CODES.float:
        return this.#push(this.#bytes.readDoubleBE(this.#skip(8)));
      case CODES.text:
        return this.#push(this.#text(this.#number(4)));
      case CODES.global:
        return this.#push(new Global(`${this.#line()} ${this.#line()}`));
      case CODES.emptyTuple:
      case CODES.emptyList:
        return this.#push([]);
      case CODES.emptyDictionary:
        return this.#push(new Map<unknown, unknown>());
      case CODES.tuple:
        return this.#push(this.#popToMark());
      case CODES.tuple1:
      case CODES.tuple2:
      case CODES.tuple3:
        return this.#push(this.#popSome(code - CODES.tuple1 + 1));
      case CODES.append:
        return this.#extend(this.#popSome(1));
      case CODES.appends:
        return this.#extend(this.#popToMark());
      case CODES.setItem:
        return this.#setItems(this.#popSome(2));
      case CODES.setItems:
        return this.#setItems(this.#popToMark());
      case CODES.put1:
        return void this.#memo.set(this.#byte(), this.#top());
      case CODES.put4:
        return void this.#memo.set(this.#number(4), this.#top());
      case CODES.get1:
        return this.#push(this.#recall(this.#byte()));
      case CODES.get4:
        return this.#push(this.#recall(this.#number(4)));
      case CODES.persistent:
        return this.#push(storageOf(this.#pop()));
      case CODES.reduce: {
        const [called, args] = this.#popSome(2);
        return this.#push(call(called, args));
      }
      case CODES.build:
        // Attributes of the dictionary, such as the versions of modules.
        this.#pop();
        if (this.#top() instanceof Map) return;
        throw new Error('it sets attributes of something else than a dictionary');
      default:
        throw new Error(`it has the operation 0x${code.toString(16)}`);
    }
  }

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw new Error('its stack is empty');
    return this.#stack.pop();
  }

  #top(): unknown {
    if (this.#stack.length === 0) throw new Error('its stack is empty');
    return this.#stack.at(-1);
  }

  #popSome(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error('a mark is missing');
    return this.#stack.splice(mark).slice(1);
  }

  #extend(values: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw new Error('it appends to something else than a list');
    for (const value of values) list.push(value);
  }

  #setItems(items: readonly unknown[]): void {
    const map = this.#top();
    if (!(map instanceof Map)) throw new Error('it sets members of something else than a dictionary');
    for (let n = 0; n + 1 < items.length; n += 2) map.set(items[n], items[n + 1]);
  }

  #recall(place: number): unknown {
    if (!this.#memo.has(place)) throw new Error('it refers to what it does not have');
    return this.#memo.get(place);
  }

  #byte(): number {
    return this.#bytes.readUInt8(this.#skip(1));
  }

  #number(length: number): number {
    return this.#bytes.readUIntLE(this.#skip(length), length);
  }

  #text(length: number): string {
    const start = this.#skip(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #line(): string {
    const end = this.#bytes.indexOf('\n', this.#at);
    if (end < 0) throw new Error('it ends too early');
    const text = this.#text(end - this.#at);
    this.#skip(1);
    return text;
  }

  /** @returns where the skipped bytes begin */
  #skip(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new Error('it ends too early');
    this.#at += length;
    return start;
  }
}

const CODES = {
  protocol: 0x80,
  stop: 0x2e,
  mark: 0x28,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
  int1: 0x4b,
  int2: 0x4d,
  int4: 0x4a,
  long: 0x8a,
  float: 0x47,
  text: 0x58,
  global: 0x63,
  emptyTuple: 0x29,
  emptyList: 0x5d,
  emptyDictionary: 0x7d,
  tuple: 0x74,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  append: 0x61,
  appends: 0x65,
  setItem: 0x73,
  setItems: 0x75,
  put1: 0x71,
  put4: 0x72,
  get1: 0x68,
  get4: 0x6a,
  persistent: 0x51,
  reduce: 0x52,
  build: 0x62,
} as const;

function call(called: unknown, args: unknown): unknown {
  if (!(called instanceof Global) || !Array.isArray(args)) throw new Error('it calls something that is no function');
  if (!Object.hasOwn(CALLS, called.name)) throw new Error(`it calls "${called.name}"`);
  return CALLS[called.name as keyof typeof CALLS](args);
}

/** `('storage', class, key, device, count)`. */
function storageOf(id: unknown): PickledStorage {
  const [kind, type, key, , count] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind !== 'storage' || !(type instanceof Global) || typeof key !== 'string')
    throw new Error('a storage is unknown');
  const name = /^torch (\w+)$/.exec(type.name)?.[1] ?? '';
  if (!Object.hasOwn(STORAGES, name)) throw new Error(`it has storages of type "${type.name}"`);
  return new PickledStorage(STORAGES[name]!, key, size(count));
}

function size(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error('a size is not a whole number');
}

function sizes(value: unknown): number[] {
  if (!Array.isArray(value)) throw new Error('sizes are missing');
  return value.map(size);
}
