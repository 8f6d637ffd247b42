// Makes src/api/operations.ts of the API's document: the shapes, and the table of operations.
//
//     node types.mjs            writes it
//     node types.mjs --check    fails if it is not what the document says
import { readFileSync, writeFileSync } from "node:fs";

const DOCUMENT = new URL("../../docs/reference/openapi.json", import.meta.url);
const FILE = new URL("src/api/operations.ts", import.meta.url);
const METHODS = ["get", "put", "post", "delete"];

const { components, paths } = JSON.parse(readFileSync(DOCUMENT, "utf8"));
const nameOf = (schema) => schema.$ref?.split("/").at(-1);

/** A page of a list has a schema for each kind of item, which here is one type with a parameter. */
function pageOf(name) {
    return /^Page\d*$/.test(name) ? components.schemas[name].properties.items.items : undefined;
}

function typeOf(schema) {
    const name = nameOf(schema);
    if (name) {
        const item = pageOf(name);
        return item ? `Page<${typeOf(item)}>` : name;
    }
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices) return choices.map(typeOf).join(" | ");
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (Array.isArray(schema.type)) {
        return schema.type.map((type) => typeOf({ ...schema, type })).join(" | ");
    }
    switch (schema.type) {
        case "integer":
        case "number":
            return "number";
        case "string":
        case "boolean":
        case "null":
            return schema.type;
        case "array":
            return `${bracketed(typeOf(schema.items))}[]`;
        case "object":
            if (schema.additionalProperties) {
                return `Record<string, ${typeOf(schema.additionalProperties)}>`;
            }
            break;
        case undefined:
            return "unknown";
    }
    throw new Error(`no type for ${JSON.stringify(schema)}`);
}

const bracketed = (type) => (type.includes(" ") ? `(${type})` : type);

/** Lines of at most 100 columns. */
function alias(name, choices) {
    const line = `export type ${name} = ${choices.join(" | ")};`;
    if (line.length <= 100) return line;
    return `export type ${name} =\n${choices.map((choice) => `    | ${choice}`).join("\n")};`;
}

function declaration([name, schema]) {
    if (schema.oneOf) return alias(name, schema.oneOf.map(typeOf));
    if (!schema.properties) return alias(name, [typeOf(schema)]);
    const required = new Set(schema.required ?? []);
    const fields = Object.entries(schema.properties).map(([field, shape]) => {
        // What has a default is always there in an answer, and here always said in a request.
        const isThere = required.has(field) || "default" in shape;
        return `    ${field}${isThere ? "" : "?"}: ${typeOf(shape)};`;
    });
    return `export interface ${name} {\n${fields.join("\n")}\n}`;
}

function body(content) {
    const schema = content?.content?.["application/json"]?.schema;
    return schema ? typeOf(schema) : "undefined";
}

function operation([path, method, { operationId, parameters = [], requestBody, responses }]) {
    const named = (place) => parameters.filter((parameter) => parameter.in === place);
    const names = named("path").map(({ name }) => `${name}: string`);
    const query = named("query").map(({ name, schema }) => `${name}?: ${typeOf(schema)}`);
    const success = Object.entries(responses).find(([status]) => status.startsWith("2"));
    const part = (name, value) => `        ${name}: ${value};`;
    const shape = (fields) => {
        if (fields.length === 0) return "Nothing";
        const line = `{ ${fields.join("; ")} }`;
        if (line.length <= 84) return line;
        return `{\n${fields.map((field) => `            ${field};`).join("\n")}\n        }`;
    };
    const lines = [
        `    ${operationId}: {`,
        part("path", shape(names)),
        part("query", shape(query)),
        part("body", body(requestBody)),
        part("gives", body(success[1])),
        "    };",
    ];
    return { operationId, lines: lines.join("\n"), row: [method.toUpperCase(), path] };
}

function text() {
    const schemas = Object.entries(components.schemas).filter(([name]) => !pageOf(name));
    const all = Object.entries(paths).flatMap(([path, item]) =>
        METHODS.filter((method) => item[method]).map((method) => [path, method, item[method]]),
    );
    const operations = all.map(operation);
    const row = ({ operationId, row }) => `    ${operationId}: ${JSON.stringify(row)},`;
    const table =
        "/** Method and path of each. */\n" +
        "export const OPERATIONS: Record<keyof Operations, readonly [string, string]> = {\n" +
        operations.map(row).join("\n").replaceAll('","', '", "') +
        "\n};\n";
    return [
        "// Made by types.mjs of docs/reference/openapi.json, where all of it is explained.",
        "type Nothing = Record<never, never>;",
        "export interface Page<T> {\n    items: T[];\n    next?: string | null;\n}",
        ...schemas.map(declaration),
        `export interface Operations {\n${operations.map(({ lines }) => lines).join("\n")}\n}`,
        table,
    ].join("\n\n");
}

const made = text();
if (process.argv[2] === "--check") {
    if (readFileSync(FILE, "utf8") !== made) {
        console.error("types: src/api/operations.ts is not what docs/reference/openapi.json says");
        console.error("types: run `node types.mjs`");
        process.exit(1);
    }
    console.log(`types: ${Object.keys(components.schemas).length} schemas as the document says`);
} else {
    writeFileSync(FILE, made);
}
