import { textOfLine } from '../jobs/sources/upload-texts.js';
import { InputReader } from './input-reader.js';

const reader = new InputReader({ maxInputs: 10, maxTextBytes: 20 });

/** What each way says of one text at fault. */
async function faultsOf(text: string) {
  const refused = async (read: () => unknown) => {
    try {
      await read();
    } catch (error) {
      return error as { code: string; param: string; message: string };
    }
    throw new Error('it was taken');
  };
  return {
    waiting: await refused(() => reader.read(text)),
    waitingList: await refused(() => reader.read(['a', text])),
    job: await refused(() => reader.readAll(text)),
    jobList: await refused(() => reader.readAll(['a', text])),
    upload: await refused(() => textOfLine({ number: 2, text: JSON.stringify(text) }, reader)),
  };
}

it.each([
  ['empty', '', 'empty_text', 'is an empty text'],
  ['too large', 'ü'.repeat(11), 'text_too_large', 'has 22 bytes, more than the 20 of one text (EMBED_MAX_TEXT_BYTES)'],
])('a text that is %s is one fault in the same words, whichever way it comes', async (_, text, code, problem) => {
  const { job, jobList, upload, waiting, waitingList } = await faultsOf(text);
  const said = ({ code, message, param }: typeof job) => ({ code, message, param });
  expect(said(waiting)).toEqual({ code, param: 'input', message: `input ${problem}.` });
  expect(said(job)).toEqual(said(waiting));
  expect(said(waitingList)).toEqual({ code, param: 'input[1]', message: `input[1] ${problem}.` });
  expect(said(jobList)).toEqual(said(waitingList));
  expect(said(upload)).toEqual({ code, param: 'line 2', message: `Line 2 ${problem}.` });
});

it('a text may have as many bytes as the limit says, whichever way it comes', async () => {
  const text = 'ü'.repeat(10);
  expect((await reader.read(text)).values).toEqual([text]);
  expect((await reader.readAll([text])).values).toEqual([text]);
  expect(reader.faultOf(text)).toBeNull();
});

it('only those who wait are bound in the number of their inputs', async () => {
  const many = Array(11).fill('a') as string[];
  await expect(reader.read(many)).rejects.toMatchObject({ code: 'too_many_inputs', param: 'input' });
  expect((await reader.readAll(many)).length).toBe(11);
});

it('the first text at fault of a job is named', async () => {
  const long = 'x'.repeat(21);
  await expect(reader.readAll(['a', 'b', ''])).rejects.toMatchObject({ code: 'empty_text', param: 'input[2]' });
  await expect(reader.readAll(['a', long, ''])).rejects.toMatchObject({ code: 'text_too_large', param: 'input[1]' });
});
