// Chooses the page by its address, and draws what is around it.

import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isRefused } from "./api/client";
import { Button } from "./components/Button";
import { Dialog } from "./components/Dialog";
import { Empty } from "./components/Empty";
import { Footer } from "./components/Footer";
import { Header } from "./components/Header";
import { Failure, Notice } from "./components/Notice";
import { SignInForm } from "./components/SignInForm";
import { Rows } from "./components/Skeleton";
import { focusFirst, focusTitle } from "./lib/focus";
import { spoken } from "./lib/language";
import { online } from "./lib/online";
import { match, place, restoreScroll } from "./lib/router";
import { ended, leave, load, session } from "./lib/session";
import { useShared } from "./lib/state";
import { t } from "./lib/text";
import { SignIn } from "./pages/signin";
import { type Page, type PageProps, PAGES } from "./routes";

export function App() {
  useShared(spoken);
  const { path, entry } = useShared(place);
  const found = PAGES.map((page) => ({ page, parts: match(page.path, path) })).find(({ parts }) => parts);
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    restoreScroll();
    focusTitle();
  }, [path, entry]);
  if (found?.page.isPublic) return <Shown page={found.page} id="" key={path} />;
  return (
    <Inside>
      {found ? <Shown page={found.page} id={found.parts?.id ?? ""} key={stays(path)} /> : <Lost />}
    </Inside>
  );
}

/** Beside the list of jobs, one after the other is looked at: that page stays. */
function stays(path: string): string {
  return path.startsWith("/jobs") ? "/jobs" : path;
}

/** Whoever has signed in is inside; whoever has not does so in the page's place. */
function Inside({ children }: { children: preact.ComponentChildren }) {
  const now = useShared(session);
  const isEnded = useShared(ended);
  const isOnline = useShared(online);
  const [error, fail] = useState<unknown>();
  const find = () => {
    fail(undefined);
    load().catch((error: unknown) => (isRefused(error, "sign_in_required") ? leave() : fail(error)));
  };
  useEffect(() => {
    if (session.get().state === "unknown") find();
  }, []);
  if (now.state === "out") return <SignIn />;
  return (
    <>
      <a class="skip" href="#main" data-plain="1">
        {t("skip")}
      </a>
      {now.state === "in" ? <Header me={now.me} /> : <div class="header" />}
      {!isOnline && (
        <div class="offline-bar">
          <Notice kind="neutral">{t("offline")}</Notice>
        </div>
      )}
      {now.state === "in" ? (
        children
      ) : (
        <main id="main" class="page">
          {error === undefined ? <Rows /> : <Failure what={t("start.failed")} error={error} again={find} />}
        </main>
      )}
      <Footer />
      {isEnded && now.state === "in" && <Ended email={now.me.email ?? undefined} />}
    </>
  );
}

function Ended({ email }: { email: string | undefined }) {
  useEffect(focusFirst, []);
  return (
    <Dialog title={t("ended")}>
      <p class="small">{t("ended.intro")}</p>
      <SignInForm email={email}
        more={
          <Button look="quiet"
            onClick={() => location.assign("/")}>
            {t("ended.other")}
          </Button>
        } />
    </Dialog>
  );
}

function Lost() {
  return (
    <main id="main" class="page">
      <h1 tabIndex={-1} class="unseen">
        {t("lost")}
      </h1>
      <Empty title={t("lost")} actions={<a href="/">{t("lost.home")}</a>}>
        {t("lost.why")}
      </Empty>
    </main>
  );
}

const loaded = new Map<Page, ComponentType<PageProps>>();

/** A page; where it is loaded when one goes there, its frame until it is there. */
function Shown({ page, id }: { page: Page; id: string }) {
  const [, draw] = useState({});
  const [error, fail] = useState<unknown>();
  const Component = "now" in page.component ? page.component.now : loaded.get(page);
  useEffect(() => {
    if ("now" in page.component || loaded.has(page)) return;
    let isHere = true;
    page.component.later().then(
      (component) => {
        loaded.set(page, component);
        if (isHere) draw({});
      },
      (error: unknown) => {
        if (isHere) fail(error);
      },
    );
    return () => void (isHere = false);
  }, [page]);
  // The title of a page that had to be loaded is there only now.
  const wasLoaded = useRef(Component !== undefined);
  useEffect(() => {
    if (Component && !wasLoaded.current && document.activeElement === document.body) focusTitle();
  }, [Component]);
  if (Component) return <Component id={id} />;
  return (
    <main id="main" class="page">
      {/* Another release has other files: only the whole page brings them. */}
      {error === undefined ? <Rows /> : <Failure error={error} again={() => location.reload()} />}
    </main>
  );
}
