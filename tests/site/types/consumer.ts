// What a developer writes against the package, in strict TypeScript. Only its types are checked.
import { DownloadControl, errors, forget, inspect, keptModels, load } from 'thistledown-engine';
import type { ChatCompletionChunk, ChatMessage, JsonSchema, Model, Tool } from 'thistledown-engine';

const schema: JsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tool: Tool = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };

async function complete(model: Model, messages: ChatMessage[]): Promise<string | null> {
  const completion = await model.chat.completions.create({ messages, tools: [tool], temperature: 0 });
  const call = completion.choices[0]?.message.tool_calls?.[0];
  if (call) return call.function.arguments;
  const stream = await model.chat.completions.create({ messages, stream: true, stream_options: { include_usage: true } });
  const seen: ChatCompletionChunk[] = [];
  for await (const chunk of stream) seen.push(chunk);
  return seen.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

export async function run(): Promise<void> {
  const control = new DownloadControl();
  const { ok, downloadBytes, reason } = await inspect('/models/x/');
  if (!ok) throw new Error(reason ?? `${downloadBytes}`);
  const model = await load('/models/x/', { onProgress: ({ loaded, total }) => console.log(loaded / total), control });
  try {
    console.log(await complete(model, [{ role: 'user', content: 'Hello' }]));
    for await (const { text, logprobs } of model.generate('Once', {
      constraint: { type: 'json_schema', json_schema: { schema, strict: true } }, logprobs: 2,
    })) console.log(text, logprobs?.top[0]?.logprob);
    const [first] = await model.embed(['a'], null);
    const width: number | undefined = first?.data.length;
    console.log(width, (await keptModels()).map(({ keptBytes }) => keptBytes), model.stats().generation?.finish);
  } catch (error) {
    if (error instanceof errors.BadArgumentError) console.log(error.code, error.fields);
    // @ts-expect-error an option that there is not
    await model.chat.completions.create({ messages: [], frequency_penalty: 1 });
    // @ts-expect-error a whole answer is no stream
    for await (const _ of await model.chat.completions.create({ messages: [] }));
  } finally {
    await model.unload();
    await forget('/models/x/');
  }
}
