// A vendor's publisher: reports a registration and a result, and reads what was refused.
//
//   npm install --no-package-lock
//   AMQP_URL=amqp://vue:PASSWORD@HOST:5672/ npm start
//
// The third message names an exam that does not exist, so that there is a rejection to read.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';

const CONTENT_TYPE = 'application/cloudevents+json';
const CONFIRM_MS = 10_000;
const REJECTION_MS = 5_000;

const url = process.env.AMQP_URL;
if (!url) throw new Error('AMQP_URL is not set');
const vendor = decodeURIComponent(new URL(url).username);

/** One event. Keep its id with the row it came from: a repeated send must carry the same one. */
function cloudEvent(program, event, data) {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: vendor,
    type: `${vendor}.${event}`,
    time: new Date().toISOString(),
    program,
    data,
  };
}

/**
 * Send one event and wait until the broker has it on disk.
 * No confirm, or a lost connection, says nothing about the message: send the same event again, with the same id.
 */
async function publish(channel, event) {
  const options = {
    contentType: CONTENT_TYPE,
    persistent: true,
    mandatory: true,
    messageId: event.id,
    type: event.type,
    userId: vendor, // the broker compares it with the connection's user
  };
  const confirmed = new Promise((resolve, reject) => {
    channel.publish('certrail.vendors', event.type, Buffer.from(JSON.stringify(event)), options, (error) =>
      error ? reject(error) : resolve(),
    );
  });
  const late = sleep(CONFIRM_MS, undefined, { ref: false }).then(() => {
    throw new Error('no confirm in time');
  });
  await Promise.race([confirmed, late]);
  console.log(`confirmed ${event.type} ${event.id}`);
}

/** Print what was refused until nothing has come for some seconds. A real vendor goes on for ever. */
async function readRejections(channel) {
  let last = Date.now();
  await channel.prefetch(10);
  await channel.consume(`${vendor}.rejections`, (message) => {
    if (message === null) return; // the broker has ended the consumer
    last = Date.now();
    const rejection = JSON.parse(message.content.toString());
    for (const { path, code, message: text } of rejection.reasons) {
      console.log(`rejected ${rejection.message_id} [${code}] ${path ? `${path}: ` : ''}${text}`);
    }
    channel.ack(message); // once it has been dealt with
  });
  while (Date.now() - last < REJECTION_MS) await sleep(200);
  console.log('no more rejections');
}

/** A registration, its result, and a result that will be refused. */
function sampleEvents() {
  const person = `C-${randomUUID().slice(0, 8)}`;
  const registration = `R-${randomUUID().slice(0, 8)}`;
  const takenAt = new Date(Date.now() - 3_600_000).toISOString();
  const exam = { vendor_candidate_id: person, registration_id: registration, exam_code: 'JN0-106' };
  const registered = {
    ...exam,
    delivery: 'online',
    scheduled_at: takenAt,
    candidate: { given_name: 'Ada', family_name: 'Example', email: `${person.toLowerCase()}@example.com`, country: 'GB' },
  };
  const result = {
    ...exam,
    result_id: `S-${randomUUID().slice(0, 8)}`,
    revision: 1,
    taken_at: takenAt,
    grade: 'pass',
    score: 84,
  };
  return [
    cloudEvent('juniper', 'ExamRegistered.v1', registered),
    cloudEvent('juniper', 'ExamResultReported.v1', result),
    cloudEvent('juniper', 'ExamResultReported.v1', { ...result, exam_code: 'JN0-000' }),
  ];
}

async function connect() {
  try {
    return await amqp.connect(url, { timeout: CONFIRM_MS });
  } catch (error) {
    const refused = error.message.includes('ACCESS-REFUSED');
    throw refused ? new Error('the broker does not know this user with this password') : error;
  }
}

async function main() {
  const connection = await connect();
  connection.on('error', (error) => console.error(`connection: ${error.message}`));
  let refusal; // 403 or 406 close the channel: sending the same again ends the same way
  try {
    const channel = await connection.createConfirmChannel(); // vendors declare nothing
    channel.on('error', (error) => (refusal = error));
    channel.on('return', (message) => console.error(`nobody takes ${message.fields.routingKey}`));
    for (const event of sampleEvents()) await publish(channel, event);
    await readRejections(channel);
  } catch (error) {
    throw refusal ? new Error(`the broker refuses this message: ${refusal.message}`) : error;
  } finally {
    await connection.close();
  }
}

main().catch((error) => {
  const known = error.message.startsWith('the broker ');
  console.error(known ? error.message : `outcome unknown, send the same events again: ${error.message}`);
  process.exitCode = 1;
});
