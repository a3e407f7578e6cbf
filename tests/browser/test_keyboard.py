"""Without a mouse: Tab reaches every control, and each of them shows that it has the focus."""
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

# What the keyboard must reach: one of the matrix' cells stands for all of them.
CONTROLS = """return [...document.querySelectorAll(
    'a, button, select, input, textarea, [tabindex]')].filter(
    (e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({checkVisibilityCSS: true}))"""


@pytest.mark.parametrize("names", (("digits",), ("copy",), ("adding", "adding1", "failed")))
def test_tab_reaches_every_control(browser, report, names):
    browser.open(report(*names))
    for field in browser.all(".field"):  # what reads a drawing is there once something is drawn
        browser.js("arguments[0].focus()", field)
        ActionChains(browser.driver).send_keys(Keys.SPACE + Keys.ARROW_DOWN * 3).perform()
        browser.js("return unroll.drawn()")
    controls = browser.js(CONTROLS)
    browser.js("document.activeElement.blur(); window.unseen = []")
    # The outline is looked at in the page, because a call for each control would take long.
    browser.js("""document.addEventListener('focusin', ({target}) => {
        const {outlineStyle, outlineWidth} = getComputedStyle(target);
        if (outlineStyle === 'none' || parseFloat(outlineWidth) < 1) unseen.push(target.outerHTML);
        (window.visited ||= []).push(target);
    })""")
    for _ in range(len(controls) // 20 + 2):
        ActionChains(browser.driver).send_keys(Keys.TAB * 20).perform()
    reached = browser.js("return visited")
    missed = [control.get_attribute("outerHTML")[:200] for control in controls
              if control not in reached]
    assert not missed
    assert browser.js("return unseen") == []


def test_every_pointer_control_is_one_for_the_keyboard(browser, report):
    """What can be clicked is a control by itself, with a name."""
    browser.open(report("digits"))
    nameless = browser.js("""return [...document.querySelectorAll('button, a, select, input')].filter(
        (e) => !(!e.checkVisibility({checkVisibilityCSS: true}) || e.innerText || e.getAttribute('aria-label') || e.labels?.[0]?.innerText ||
                 e.textContent)).map((e) => e.outerHTML)""")
    assert nameless == []


def test_links_lead_to_their_sections(browser, report):
    browser.open(report("digits"))
    for link in browser.all("nav a"):
        target = link.get_attribute("href").split("#")[1]
        link.send_keys(Keys.ENTER)
        browser.settle()
        top = browser.js("return document.getElementById(arguments[0]).getBoundingClientRect().top",
                         target)
        bottom = browser.js("return innerHeight + scrollY >= document.body.scrollHeight - 2")
        assert -2 <= top < 200 or bottom, target


def test_copy_takes_the_text(browser, report):
    browser.open(report("adding"))
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    box = browser.one("#commands .copyable")
    box.find_element("css selector", "button").send_keys(Keys.ENTER)
    browser.settle()
    said = box.find_element("css selector", ".said").text
    copied = browser.driver.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)))")
    assert said == "copied" and copied == box.find_element("css selector", "code").text
