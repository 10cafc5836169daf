/** The SQLite engine is an engine: it keeps the contract. */
import { engineContract } from "../contract.ts";
import { openTestEngine } from "./testing/test-engine.ts";

engineContract({ name: "sqlite", open: openTestEngine });
