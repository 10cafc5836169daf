/** JSON as a tree that folds. What is folded is not drawn, so that a megabyte of it costs what is open. */
import { type ReactNode, useState } from "react";
import { AnsiText } from "./ansi-text.tsx";
import { type JsonNode, jsonSize, jsonSummary } from "./json-tree.ts";
import { clipText } from "./message-chunks.ts";

/** Members that are drawn before a button offers the others. */
const membersShown = 100;

/** Levels that are open at first, as long as they are short. */
const openDepth = 2;
const openSizeMax = 50;

/** Characters of one string before a button offers the rest. */
const stringShown = 10_000;

/** The tree. */
export function JsonView({ node }: { node: JsonNode }): ReactNode {
  return (
    <div className="json mono">
      <JsonValue node={node} depth={0} />
    </div>
  );
}

interface JsonValueProps {
  readonly node: JsonNode;
  readonly name?: string;
  readonly depth: number;
}

function JsonValue({ node, name, depth }: JsonValueProps): ReactNode {
  const size = jsonSize(node);
  const [open, setOpen] = useState(depth < openDepth && size <= openSizeMax);
  if (size === 0) {
    return (
      <div className="json-row">
        <JsonName name={name} />
        <JsonLeaf node={node} />
      </div>
    );
  }
  const brackets = node.kind === "array" ? "[]" : "{}";
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <JsonName name={name} />
        {open ? brackets[0] : <span className="json-summary">{jsonSummary(node, 80)}</span>}
        <span className="json-size">{size}</span>
      </summary>
      {open && (
        <>
          <JsonChildren node={node} depth={depth + 1} />
          <div className="json-end">{brackets[1]}</div>
        </>
      )}
    </details>
  );
}

function JsonChildren({ node, depth }: { node: JsonNode; depth: number }): ReactNode {
  const [shown, setShown] = useState(membersShown);
  const size = jsonSize(node);
  return (
    <div className="json-children">
      {node.kind === "object" &&
        node.members
          .slice(0, shown)
          .map(({ name, value }, index) => <JsonValue key={index} name={name} node={value} depth={depth} />)}
      {node.kind === "array" &&
        node.items.slice(0, shown).map((item, index) => <JsonValue key={index} node={item} depth={depth} />)}
      {size > shown && (
        <button type="button" className="message-show" onClick={() => setShown(shown + membersShown * 10)}>
          {size - shown} more
        </button>
      )}
    </div>
  );
}

function JsonName({ name }: { name: string | undefined }): ReactNode {
  if (name === undefined) return null;
  return (
    <>
      <span className="json-name">{name}</span>
      <span className="json-punctuation">: </span>
    </>
  );
}

function JsonLeaf({ node }: { node: JsonNode }): ReactNode {
  const [whole, setWhole] = useState(false);
  switch (node.kind) {
    case "object":
      return <span className="json-punctuation">{"{}"}</span>;
    case "array":
      return <span className="json-punctuation">[]</span>;
    case "string": {
      const { text, left } = whole ? { text: node.text, left: 0 } : clipText(node.text, stringShown);
      // With its line breaks: stack traces are strings in most structured logs.
      return (
        <span className="json-string">
          "<AnsiText text={text} />
          {left > 0 ? (
            <button type="button" className="message-show" onClick={() => setWhole(true)}>
              {left} more characters
            </button>
          ) : (
            '"'
          )}
        </span>
      );
    }
    case "number":
    case "literal":
      return <span className={`json-${node.kind}`}>{node.text}</span>;
    default:
      return node satisfies never;
  }
}
