//! What the examples' pages have in common.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page: pleasant on a telephone, in the dark, and without JavaScript.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (STYLE) }
            }
            body { main { (content) } }
        }
    }
}

const STYLE: PreEscaped<&str> = PreEscaped(
    "
:root { color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; --line: #8884; --blue: #2457d6 }
* { box-sizing: border-box }
body { margin: 0 }
main { max-width: 36rem; margin: 6vh auto; padding: 0 1.2rem 4rem }
h1 { line-height: 1.2 }
h2 { font-size: 1.15rem; margin: 0 0 .8rem }
section { border: 1px solid var(--line); border-radius: .8rem; padding: 1.2rem; margin: 1.2rem 0 }
section.danger { border-color: #c628287f }
label { display: block; margin: .8rem 0; font-weight: 600 }
label.choice { font-weight: 400 }
input:not([type=checkbox]) { display: block; width: 100%; margin-top: .25rem; font: inherit; padding: .5rem .7rem;
  border: 1px solid #888a; border-radius: .45rem; background: Canvas; color: CanvasText }
button { font: inherit; padding: .5rem .95rem; border-radius: .45rem; border: 1px solid var(--blue);
  background: var(--blue); color: #fff; cursor: pointer }
button.quiet { background: none; color: inherit; border-color: #888a }
button.danger { background: #c62828; border-color: #c62828 }
:focus-visible { outline: 3px solid #6b96ff; outline-offset: 2px }
.row { display: flex; gap: .6rem; flex-wrap: wrap; align-items: center }
.row > :first-child { flex: 1 }
ul, ol { list-style: none; padding: 0; margin: 0 }
li { padding: .7rem 0; border-top: 1px solid var(--line) }
li:first-child { border-top: 0; padding-top: 0 }
li:last-child { padding-bottom: 0 }
small { display: block; opacity: .75 }
.badge { font-size: .8rem; padding: .1rem .5rem; border-radius: 1rem; background: #2e7d3226; margin-left: .4rem }
.notice, .problem { padding: .7rem 1rem; border-radius: .5rem; background: #2457d61f }
.problem { background: #c6282826 }
",
);
