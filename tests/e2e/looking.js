// What looking.py asks of an open page. A fault is told in a sentence that names the element.
window.looking = (() => {
  const CONTROLS = "a[href], button, summary, select, textarea, input:not([type=hidden])";

  const name = (element) => {
    const words = element.getAttribute("aria-label") || element.innerText || element.value || "";
    const classes = [...element.classList].map((one) => `.${one}`).join("");
    const which = element.id ? `#${element.id}` : classes;
    return `<${element.tagName.toLowerCase()}${which}> “${words.trim().replace(/\s+/g, " ").slice(0, 40)}”`;
  };

  const isSeen = (element) => {
    const { width, height } = element.getBoundingClientRect();
    const isClipped = getComputedStyle(element).clipPath !== "none"; // there for screen readers only
    return width > 1 && height > 1 && !isClipped && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };

  const right = (element) => element.getBoundingClientRect().right;

  function sideways() {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const beyond = (element) => right(element) > clientWidth + 1;
    const guilty = [...document.body.querySelectorAll("*")].filter(
      (element) => isSeen(element) && beyond(element) && ![...element.children].some(beyond),
    );
    const named = guilty.slice(0, 3).map(name).join(", ");
    return [`the page is ${scrollWidth} px wide on a screen of ${clientWidth}: ${named}`];
  }

  // A tick box is as large as its label.
  function sizeOf(control) {
    const labels = ["checkbox", "radio", "file"].includes(control.type)
      ? [...control.labels, control.parentElement]
      : control.matches(".ts-control > input") ? [control.closest(".ts-wrapper")] : [];
    const boxes = [control, ...labels].map((element) => element.getBoundingClientRect());
    return [Math.max(...boxes.map(({ width }) => width)), Math.max(...boxes.map(({ height }) => height))];
  }

  const isInSentence = (control) =>
    control.tagName === "A" && getComputedStyle(control).display === "inline" && !control.closest("nav");

  function smallTargets(finger) {
    return [...document.querySelectorAll(`${CONTROLS}, [role=button], [role=tab]`)]
      .filter((control) => isSeen(control) && !control.disabled && !isInSentence(control))
      .filter((control) => !control.matches(".skip-link, .visually-hidden"))
      .map((control) => [control, ...sizeOf(control)])
      .filter(([, width, height]) => Math.min(width, height) < finger - 0.5)
      .slice(0, 8)
      .map(([control, width, height]) => {
        return `${name(control)} is ${Math.round(width)} × ${Math.round(height)} px, too small for a finger`;
      });
  }

  let stops, reached, unshown;

  const isDrawn = (element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  };

  /** Note from now on where the focus goes, and say how often Tab must be pressed to have been everywhere. */
  function listenToFocus() {
    const focusable = [...document.querySelectorAll(`${CONTROLS}, [tabindex]`)].filter(
      (element) => isSeen(element) && !element.disabled && element.tabIndex >= 0,
    );
    // Of a group of radio buttons, one is a stop.
    stops = focusable.filter((element) => element.type !== "radio");
    reached = new Set();
    unshown = new Set();
    document.addEventListener("focusin", ({ target }) => reached.add(target));
    // Asked before the focus goes on, when the page has had time to draw.
    addEventListener("keydown", () => {
      const here = document.activeElement;
      // The ring may be drawn around what the control stands in.
      const around = [here, here.parentElement, here.closest(".ts-wrapper"), here.closest("label, td, th")];
      if (here !== document.body && !around.some((element) => element && isDrawn(element))) unshown.add(here);
    }, true);
    document.activeElement?.blur();
    return focusable.length;
  }

  function whatFocusTold() {
    const missed = stops.filter((element) => isSeen(element) && !reached.has(element));
    return [
      ...missed.slice(0, 5).map((element) => `${name(element)} is not reached with Tab`),
      ...[...unshown].slice(0, 5).map((element) => `${name(element)} does not show that it has the focus`),
    ];
  }

  return { sideways, smallTargets, listenToFocus, whatFocusTold };
})();
