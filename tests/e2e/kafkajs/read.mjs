// Reads so many records of a topic from its beginning and prints a line of JSON for each.
// What the client does unless told otherwise is left so: it reads what is committed.
import kafkajs from "kafkajs";

const [topic, group, wanted] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({
  clientId: "stranger",
  brokers: process.env.KAFKA_BOOTSTRAP_SERVERS.split(","),
  logLevel: kafkajs.logLevel.NOTHING,
});
const consumer = kafka.consumer({ groupId: group });

function told({ partition, message }) {
  const headers = Object.entries(message.headers).map(([name, value]) => [name, value.toString()]);
  return {
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key.toString(),
    value: message.value.toString(),
    headers,
  };
}

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
let left = Number(wanted);
const done = new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  const late = setTimeout(() => reject(new Error(`${left} records did not come`)), 60_000);
  const finish = () => {
    clearTimeout(late);
    setTimeout(resolve, 500); // anything beyond them would come now
  };
  consumer.run({
    eachMessage: async (each) => {
      process.stdout.write(`${JSON.stringify(told(each))}\n`);
      left -= 1;
      if (left === 0) finish();
    },
  });
});
await done;
await consumer.disconnect();
