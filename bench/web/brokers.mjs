// The brokers, each on loopback, with its data in a folder that goes with it. README.md says what they need.
import { spawn } from "node:child_process";
import { openSync, rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";
import { Broker } from "../../clients/web/test/broker.mjs";
import { freePort } from "../../clients/web/test/ports.mjs";

const START_MS = 120_000;
const STOP_MS = 20_000;

/** What runs, and what is to be removed: neither outlives this process. */
const running = new Set();
const folders = new Set();
process.on("exit", () => {
    for (const child of running) child.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function folder() {
    const made = await mkdtemp(join(tmpdir(), "wharf-losses-"));
    folders.add(made);
    return made;
}

function begin(directory, binary, flags, env = {}) {
    const log = openSync(join(directory, "log"), "a");
    const stdio = ["ignore", log, log];
    const child = spawn(binary, flags, { env: { ...process.env, ...env }, stdio, cwd: directory });
    running.add(child);
    child.ended = new Promise((resolve) => {
        child.once("error", resolve);
        child.once("exit", resolve);
    });
    child.ended.then((why) => {
        running.delete(child);
        child.isOver = why ?? "a signal";
    });
    return child;
}

async function end(child) {
    if (child.isOver) return;
    child.kill("SIGTERM");
    await Promise.race([child.ended, sleep(STOP_MS)]);
    if (!child.isOver) child.kill("SIGKILL");
    await child.ended;
}

/** Resolves when a WebSocket with this subprotocol opens. */
async function answers(port, protocol, child, directory) {
    const until = Date.now() + START_MS;
    for (;;) {
        const isOpen = await new Promise((resolve) => {
            const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, protocol ? [protocol] : []);
            socket.once("open", () => socket.close() ?? resolve(true)).once("error", () => resolve(false));
        });
        if (isOpen) return;
        if (child.isOver || Date.now() > until) {
            const log = await readFile(join(directory, "log"), "utf8").catch(() => "");
            throw new Error(`a broker did not start: ${child.isOver ?? "too slow"}\n${log.slice(-2000)}`);
        }
        await sleep(200);
    }
}

async function wharf(binary) {
    const broker = new Broker();
    broker.binary = binary;
    running.add({ kill: (signal) => broker.process?.kill(signal) });
    const started = broker.start();
    await started.finally(() => broker.directory && folders.add(broker.directory));
    return { ports: { wharf: broker.port }, stop: () => broker.stop() };
}

async function rabbit(binary) {
    const directory = await folder();
    const [amqp, distribution, names, stomp, mqtt] = await Promise.all(Array.from({ length: 5 }, freePort));
    const config = [
        `listeners.tcp.1 = 127.0.0.1:${amqp}`,
        "stomp.listeners.tcp = none",
        "mqtt.listeners.tcp = none",
        ...["web_stomp", "web_mqtt"].flatMap((plugin) => [
            `${plugin}.tcp.ip = 127.0.0.1`,
            `${plugin}.tcp.port = ${plugin === "web_stomp" ? stomp : mqtt}`,
        ]),
        "log.file.level = warning",
        "disk_free_limit.absolute = 50MB",
    ];
    await writeFile(join(directory, "rabbitmq.conf"), config.join("\n") + "\n");
    await writeFile(join(directory, "enabled_plugins"), "[rabbitmq_web_stomp,rabbitmq_web_mqtt].\n");
    const env = {
        HOME: directory,
        ERL_EPMD_ADDRESS: "127.0.0.1",
        ERL_EPMD_PORT: String(names),
        RABBITMQ_NODENAME: "losses@localhost",
        RABBITMQ_DIST_PORT: String(distribution),
        RABBITMQ_CONFIG_FILE: join(directory, "rabbitmq.conf"),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "enabled_plugins"),
        RABBITMQ_MNESIA_BASE: join(directory, "data"),
        RABBITMQ_LOG_BASE: join(directory, "logs"),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
        // Without a shell between this process and the server, which a signal would not pass.
        RUNNING_UNDER_SYSTEMD: "1",
    };
    // One that the server starts by itself would stay.
    const epmd = begin(directory, process.env.EPMD ?? "epmd", ["-address", "127.0.0.1", "-port", String(names)], env);
    await sleep(500);
    const server = begin(directory, binary, [], env);
    const stop = async () => {
        await end(server);
        await end(epmd);
    };
    await answers(stomp, "v12.stomp", server, directory);
    await answers(mqtt, "mqtt", server, directory);
    return { ports: { "RabbitMQ, STOMP": stomp, "RabbitMQ, MQTT": mqtt }, stop };
}

async function mosquitto(binary) {
    const directory = await folder();
    const port = await freePort();
    const config = [
        `listener ${port} 127.0.0.1`,
        "protocol websockets",
        "allow_anonymous true",
        "persistence true",
        `persistence_location ${directory}/`,
        "log_type error",
    ];
    // As root it would become a user who may not write here.
    if (process.getuid() === 0) config.push("user root");
    await writeFile(join(directory, "mosquitto.conf"), config.join("\n") + "\n");
    const server = begin(directory, binary, ["-c", join(directory, "mosquitto.conf")]);
    await answers(port, "mqtt", server, directory);
    return { ports: { Mosquitto: port }, stop: () => end(server) };
}

async function centrifugo(binary) {
    const directory = await folder();
    const port = await freePort();
    const config = {
        http_server: { address: "127.0.0.1", port: String(port) },
        websocket: { handler_prefix: "/ws" },
        client: { allow_anonymous_connect_without_token: true, allowed_origins: ["*"] },
        channel: {
            without_namespace: {
                allow_subscribe_for_anonymous: true,
                allow_subscribe_for_client: true,
                allow_publish_for_anonymous: true,
                allow_publish_for_client: true,
                history_size: 10_000,
                history_ttl: "600s",
                force_positioning: true,
                force_recovery: true,
            },
        },
        log: { level: "error" },
    };
    await writeFile(join(directory, "config.json"), JSON.stringify(config));
    const server = begin(directory, binary, ["-c", join(directory, "config.json")]);
    await answers(port, undefined, server, directory);
    return { ports: { Centrifugo: port }, stop: () => end(server) };
}

/** Which variable names the URL of one that runs already. */
const URLS = { STOMP_URL: "RabbitMQ, STOMP", MQTT_URL: "Mosquitto", CENTRIFUGO_URL: "Centrifugo" };
const MAKERS = { WHARF: wharf, RABBITMQ_SERVER: rabbit, MOSQUITTO: mosquitto, CENTRIFUGO: centrifugo };

/** Starts what there is; resolves with ports by the names of brokers. */
export async function start() {
    const ports = {};
    const stops = [];
    for (const [variable, make] of Object.entries(MAKERS)) {
        const binary = process.env[variable];
        if (!binary) continue;
        const made = await make(binary);
        Object.assign(ports, made.ports);
        stops.push(made.stop);
    }
    for (const [variable, name] of Object.entries(URLS)) {
        if (process.env[variable]) ports[name] = Number(new URL(process.env[variable]).port);
    }
    return { ports, stop: () => Promise.all(stops.map((stop) => stop())) };
}
