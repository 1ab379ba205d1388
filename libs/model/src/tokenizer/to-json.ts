/** How a user gets a `tokenizer.json` of a tokenizer in another form, such as sentencepiece's; one line. */
export const TO_JSON =
  'write tokenizer.json in a folder with all files of the model: python -c "from transformers import AutoTokenizer; ' +
  "AutoTokenizer.from_pretrained('.').save_pretrained('.')\"";
