/**
 * A stand-in for the models behind the real agent CLIs, on 127.0.0.1 only: it speaks the Anthropic Messages API (Claude
 * Code) and the OpenAI Responses API (Codex), and does what a script says. Nothing of it is a model.
 */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import * as anthropic from './model-wire-anthropic.mts';
import * as openai from './model-wire-openai.mts';
import { byPrompt, type Conversation, type Script, type ToolUse } from './model-script.mts';

/** One API: how it reads a request and writes an answer. */
export interface Wire {
  /** Where the conversation stands, and which tools the agent offers. */
  read(body: Json): Conversation & { tools: Json[] };
  /** The events of a streamed answer; `unended` leaves off those that end it. */
  stream(body: Json, say: string, calls: Json[]): { events: Json[]; unended: Json[] };
  /** The call of the agent's own tool that does this. */
  call(use: ToolUse): Json;
  error(status: number): Json;
}

/** A JSON object from outside. */
export type Json = Record<string, unknown>;

export class ModelServer {
  readonly url: string;
  /** The bodies of the model requests so far, for a test to look at. */
  readonly requests: Json[] = [];
  readonly #http: Server;

  private constructor(http: Server) {
    this.#http = http;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  static async start(script: Script = byPrompt): Promise<ModelServer> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const server = new ModelServer(http);
    http.on('request', (request, response) => {
      server.#answer(request, response, script).catch((error: unknown) => {
        response.writeHead(500).end(JSON.stringify({ error: { message: String(error) } }));
      });
    });
    return server;
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }

  /**
   * Makes `home` a home in which both agents talk to this server and to nothing else, and returns the environment that
   * they need for it. The key is a dummy.
   */
  async prepare(home: string): Promise<Record<string, string>> {
    await mkdir(path.join(home, '.codex'), { recursive: true });
    const codex = [
      'model = "stand-in"',
      'model_provider = "local"',
      '[model_providers.local]',
      'name = "Local stand-in"',
      `base_url = "${this.url}/v1"`,
      'env_key = "STAND_IN_KEY"',
      'wire_api = "responses"',
      'request_max_retries = 1',
      'stream_max_retries = 1',
    ];
    await writeFile(path.join(home, '.codex/config.toml'), `${codex.join('\n')}\n`);
    return {
      ANTHROPIC_API_KEY: 'sk-dummy',
      ANTHROPIC_BASE_URL: this.url,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_MAX_RETRIES: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_ERROR_REPORTING: '1',
      DISABLE_TELEMETRY: '1',
      STAND_IN_KEY: 'sk-dummy',
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse, script: Script): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname } = new URL(request.url ?? '/', this.url);
    const json = (status: number, body: Json): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const wire = request.method === 'POST' ? wires[pathname] : undefined;
    if (wire === undefined) {
      const others: Record<string, Json> = {
        '/v1/messages/count_tokens': { input_tokens: 100 },
        '/v1/models': { object: 'list', data: [], models: [] },
      };
      const other = others[pathname];
      json(other === undefined ? 404 : 200, other ?? { error: { message: 'not part of the stand-in' } });
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
    this.requests.push(body);
    const { tools, ...talk } = wire.read(body);
    // Without tools it is a side question, such as one for a title.
    const steps = tools.length === 0 ? [{ say: 'A title' }] : script(talk);
    const step = steps[Math.min(talk.step, steps.length - 1)]!;
    if ('status' in step) {
      json(step.status, wire.error(step.status));
      return;
    }

    const calls = 'say' in step ? (step.use ?? []).map((use) => wire.call(use)) : [];
    const { events, unended } = wire.stream(body, 'say' in step ? step.say : step.stall, calls);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    const send = (event: Json): void => {
      response.write(`event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`);
    };
    if ('stall' in step) {
      unended.forEach(send);
      await once(response, 'close');
    } else {
      events.forEach(send);
      response.end();
    }
  }
}

const wires: Record<string, Wire> = { '/v1/messages': anthropic.wire, '/v1/responses': openai.wire };
