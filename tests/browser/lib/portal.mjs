// A portal of its own for each file of stories: the local stack on free ports, as `cargo run` starts it.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PASSWORD = "correct horse battery staple";
const PROGRAM = process.env.GATEHOUSE ?? new URL("../../../target/debug/gatehouse-local", import.meta.url).pathname;

export class Portal {
  #program;
  #folder;
  url = "";

  static async open() {
    const portal = new Portal();
    portal.#folder = await mkdtemp(join(tmpdir(), "gatehouse-"));
    const asked = ["--port", "0", "--data-dir", portal.#folder, "--admin-email", "admin@northgate.example"];
    portal.#program = spawn(PROGRAM, asked, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    portal.url = await new Promise((resolve, reject) => {
      portal.#program.stdout.on("data", (some) => {
        said += some;
        const url = /ready at (\S+)/.exec(said)?.[1];
        if (url) resolve(url);
      });
      portal.#program.on("error", reject);
      portal.#program.on("exit", (code) => reject(new Error(`the stack ended with ${code}`)));
    });
    await portal.#begin();
    return portal;
  }

  async close() {
    this.#program.removeAllListeners("exit");
    const ended = new Promise((resolve) => this.#program.on("exit", resolve));
    this.#program.kill();
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #begin() {
    const token = (await this.link("admin@northgate.example", "/activate")).split("#")[1];
    this.admin = (await this.call("POST", "/v1/activations", { token, password: PASSWORD, name: "Sam Okafor" })).token;
  }

  /** Asks the API, as the admin unless somebody else is named. */
  async call(method, path, body, token = this.admin) {
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }) };
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** The newest link of a kind that was mailed to an address, once it has been. */
  async link(to, kind, after = 0) {
    for (let tried = 0; tried < 200; tried++) {
      const mails = await (await fetch(`${this.url}/_local/mail.json?to=${encodeURIComponent(to)}`)).json();
      const links = mails.flatMap(({ text }) => text.match(new RegExp(`http\\S+${kind}\\S+`, "g")) ?? []);
      if (links.length > after) return links[0];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${to} got no mail with ${kind}`);
  }

  pass(seconds) {
    return this.call("POST", "/_local/clock", { advance_seconds: seconds });
  }

  async company(name) {
    return (await this.call("POST", "/v1/companies", { name })).id;
  }

  /** A contact, invited; by default with all areas. */
  async invite(company, name, email, areas = ["files", "upload", "jobs", "assets", "report_problem"]) {
    const body = { name, email, areas, send_invite: true };
    return (await this.call("POST", `/v1/companies/${company}/contacts`, body)).id;
  }

  /** A contact who has an account. */
  async customer(company, name, email, areas) {
    const id = await this.invite(company, name, email, areas);
    const token = (await this.link(email, "/activate")).split("#")[1];
    const session = await this.call("POST", "/v1/activations", { token, password: PASSWORD }, null);
    return { id, email, token: session.token };
  }

  /** A share that is sent, with files: `{ name, bytes, type?, folder? }`. */
  async share(title, recipients, files, more = {}) {
    const announced = files.map(({ name, bytes, type, folder }) => ({ name, size: bytes.length, content_type: type, folder }));
    const share = await this.call("POST", "/v1/shares", { title, recipients, files: announced, allow_upload: true, ...more });
    for (const [index, { id, upload }] of share.files.entries()) {
      const put = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: files[index].bytes });
      if (!put.ok) throw new Error(`${files[index].name}: ${put.status}`);
      await this.call("POST", `/v1/shares/${share.id}/files/${id}/complete`, {});
    }
    await this.call("POST", `/v1/shares/${share.id}/send`, {});
    return share.id;
  }
}
